# SPDX-License-Identifier: MIT
#
# IIS: import the new certificate into the machine's store, then have the site's HTTPS bindings use it.
#
# pfx: true
# deploy: [powershell.exe, -NoProfile, -ExecutionPolicy, Bypass, -File, 'C:\Program Files\acme-dme\hooks\deploy\iis.ps1',
#          -Site, Default Web Site]
#
#     -Site NAME            the site whose bindings are to change
#     -PasswordFile FILE    where the password of the PFX file stands, the file of "pfx_password_file"; else it has none
#
# Certificates that were imported before stay in the store; bindings of other sites stay as they are.
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [string]$Site,
    [string]$PasswordFile
)

$ErrorActionPreference = 'Stop'
if (-not $env:ACME_DME_PFX) { throw 'The certificate has no PFX file; set "pfx: true".' }
Import-Module WebAdministration

$password = New-Object System.Security.SecureString
if ($PasswordFile) {
    $password = ConvertTo-SecureString -String (Get-Content -TotalCount 1 -LiteralPath $PasswordFile) -AsPlainText -Force
}
# Several are returned when the file holds the chain; the one with the key is ours.
$certificate = Import-PfxCertificate -FilePath $env:ACME_DME_PFX -CertStoreLocation Cert:\LocalMachine\My -Password $password |
    Where-Object HasPrivateKey | Select-Object -First 1
if (-not $certificate) { throw "There is no certificate with its key in '$env:ACME_DME_PFX'." }

$bindings = @(Get-WebBinding -Name $Site -Protocol https)
if ($bindings.Count -eq 0) { throw "The site '$Site' has no HTTPS binding." }
foreach ($binding in $bindings) {
    $binding.AddSslCertificate($certificate.Thumbprint, 'My')
}
