# SPDX-License-Identifier: MIT
#
# Deploy program: import a new certificate into the machine's store, then have IIS, and what else is named, use it.
# For Windows PowerShell 5.1 (powershell.exe), which Windows Server 2016 and later have.
#
# acme:
#   pfx: true
#   deploy: ['C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe', -NoProfile, -NonInteractive,
#            -ExecutionPolicy, Bypass, -File, 'C:\Program Files\acme-dme\hooks\windows\import-iis.ps1']
#
# Without arguments each HTTPS binding of IIS that uses an earlier certificate of the same name, imported by this
# program, gets the new one.  The first time there is none, so say which, behind the path:
#
#     -Site NAME            every HTTPS binding of this site whose host name the certificate covers, or that has none
#     -HostName NAME        with -Site: this host name alone; a binding is made, with SNI, if there is none
#     -Port NUMBER          with -HostName: its port, 443
#     -IPAddress ADDRESS    with -HostName: its address; * (the default) means any that there is, and all when it is made
#     -Replace THUMBPRINT   every HTTPS binding that uses this certificate, whoever imported it
#
# and further
#
#     -PasswordFile FILE    where the password of the PFX file stands, the file of "pfx_password_file"; else it has none
#     -Store NAME           My (the default) or WebHosting
#     -Exportable           let the private key be exported again
#     -ReadableBy ACCOUNT   let this account read the private key, NT SERVICE\MSSQLSERVER for instance
#     -RemoteDesktop        have Remote Desktop use the certificate, too
#     -RemoveOld            delete earlier certificates of the same name, and their keys, unless IIS or Remote Desktop
#                           still uses them
#
# Without IIS, and without arguments that ask for it, the certificate is imported only.  It may be run again at any
# time.  The last line that it writes says what went wrong, if something did.  Exit status: 0 done, 1 something
# unexpected, 2 called in a wrong way, 3 not imported, 4 imported but not used everywhere; acme-dme runs it again
# at the next "renew".
#Requires -Version 5.1
[CmdletBinding()]
param(
    [string]$Site,
    [string]$HostName,
    [ValidateRange(1, 65535)]
    [int]$Port = 443,
    [string]$IPAddress = '*',
    [string]$Replace,
    [string]$PasswordFile,
    [ValidateSet('My', 'WebHosting')]
    [string]$Store = 'My',
    [switch]$Exportable,
    [string]$ReadableBy,
    [switch]$RemoteDesktop,
    [switch]$RemoveOld
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$USAGE = 2
$NOT_IMPORTED = 3
$NOT_USED = 4
$CENTRAL_STORE = 2     # bits of a binding's sslFlags
$SNI = 1
$NETWORK_SERVICE = 'S-1-5-20'

$script:status = 1

# ------------------------------------------------------------------ messages

function Write-Note([string]$Text) {
    [Console]::Out.WriteLine($Text)
}

# What is thrown from here on ends with this status.
function Set-Failure([int]$Status) {
    $script:status = $Status
}

function Stop-Deploy([int]$Status, [string]$Text) {
    Set-Failure $Status
    throw $Text
}

# ------------------------------------------------------------------ what we were called with

function Get-Given([string]$Name) {
    $value = [Environment]::GetEnvironmentVariable($Name)
    if (-not $value) {
        Stop-Deploy $USAGE "$Name is not set: acme-dme sets it for a deploy program of one certificate, without deploy_once"
    }
    return $value
}

function Test-Caller {
    if ($PSVersionTable['PSEdition'] -eq 'Core') {
        Stop-Deploy $USAGE 'run it with powershell.exe; PowerShell 7 has no module for IIS'
    }
    $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        Stop-Deploy $USAGE 'only an administrator or SYSTEM may change the store of the machine'
    }
    if ($HostName -and -not $Site) {
        Stop-Deploy $USAGE '-HostName needs -Site'
    }
    if ($RemoteDesktop -and $Store -ne 'My') {
        Stop-Deploy $USAGE 'Remote Desktop looks into the store My only'
    }
    if (-not [Environment]::GetEnvironmentVariable('ACME_DME_PFX')) {
        Stop-Deploy $USAGE 'ACME_DME_PFX is not set: set "pfx: true", and no deploy_once'
    }
}

function Get-Password {
    if (-not $PasswordFile) {
        return ''
    }
    return [IO.File]::ReadAllText($PasswordFile).Trim()
}

# ------------------------------------------------------------------ stores

function Open-Store([string]$Name) {
    $opened = New-Object Security.Cryptography.X509Certificates.X509Store $Name, 'LocalMachine'
    $opened.Open([Security.Cryptography.X509Certificates.OpenFlags]'ReadWrite')
    return $opened
}

# Certificates in the store for which $Is is true.
function Find-Certificate([scriptblock]$Is) {
    $opened = Open-Store $Store
    try {
        return @($opened.Certificates | Where-Object $Is)
    } finally {
        $opened.Close()
    }
}

function Add-Issuer($Certificate) {
    $opened = Open-Store 'CA'
    try {
        if (-not $opened.Certificates.Contains($Certificate)) {
            $opened.Add($Certificate)
        }
    } finally {
        $opened.Close()
    }
}

# The key goes into the machine's key store, to stay there; those that issued the certificate are taken along, roots are not.
function Import-File([string]$File, [string]$Thumbprint, [string]$Label) {
    $flags = 'MachineKeySet, PersistKeySet'
    if ($Exportable) {
        $flags = "$flags, Exportable"
    }
    $all = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
    try {
        $all.Import($File, (Get-Password), [Security.Cryptography.X509Certificates.X509KeyStorageFlags]$flags)
    } catch {
        $why = $_.Exception.GetBaseException().Message
        throw "could not import '$File': $why (is the password right?  Windows before Server 2019 needs ""pfx_legacy: true"")"
    }
    $ours = $null
    foreach ($certificate in $all) {
        if ($certificate.Thumbprint -eq $Thumbprint) {
            $ours = $certificate
        } elseif ($certificate.Subject -ne $certificate.Issuer) {
            Add-Issuer $certificate
        }
    }
    if (-not $ours -or -not $ours.HasPrivateKey) {
        throw "'$File' does not hold the certificate of ACME_DME_CERT and its private key"
    }
    $ours.FriendlyName = $Label
    $opened = Open-Store $Store
    try {
        $opened.Add($ours)
    } finally {
        $opened.Close()
    }
    Write-Note "imported $Thumbprint into LocalMachine\$Store as '$Label'"
}

# ------------------------------------------------------------------ the key

function Get-KeyFile($Certificate) {
    $key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
    if (-not $key) {
        $key = [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate)
    }
    if (-not $key) {
        throw 'the private key is neither RSA nor ECDSA, or may not be used'
    }
    if ($key.PSObject.Properties['CspKeyContainerInfo']) {
        $name = $key.CspKeyContainerInfo.UniqueKeyContainerName
    } else {
        $name = $key.Key.UniqueName
    }
    $data = [Environment]::GetFolderPath('CommonApplicationData')
    foreach ($folder in 'Microsoft\Crypto\Keys', 'Microsoft\Crypto\RSA\MachineKeys') {
        $file = [IO.Path]::Combine($data, $folder, $name)
        if ([IO.File]::Exists($file)) {
            return $file
        }
    }
    throw "the file of the private key '$name' is in none of the usual places"
}

function Find-Account([string]$Name) {
    try {
        return (New-Object Security.Principal.NTAccount $Name).Translate([Security.Principal.SecurityIdentifier])
    } catch {
        throw "there is no account '$Name'"
    }
}

function Grant-Key($Certificate, [Security.Principal.IdentityReference]$Account) {
    $file = Get-KeyFile $Certificate
    $access = [IO.File]::GetAccessControl($file, [Security.AccessControl.AccessControlSections]'Access')
    $access.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $Account, 'Read', 'Allow'))
    [IO.File]::SetAccessControl($file, $access)
    Write-Note "$($Account.Value) may read the private key"
}

# ------------------------------------------------------------------ IIS

function Get-BindingHost($Binding) {
    return $Binding.bindingInformation.Split(':')[-1]
}

function Get-SiteName($Binding) {
    if ($Binding.ItemXPath -match "@name='([^']*)'") {
        return $Matches[1]
    }
    return '?'
}

# All HTTPS bindings, of one site or of all; those that have their certificates in a central store are left alone.
function Get-HttpsBinding([string]$Name) {
    if ($Name) {
        $all = @(Get-WebBinding -Name $Name -Protocol https)
    } else {
        $all = @(Get-WebBinding -Protocol https)
    }
    return @($all | Where-Object { -not ([int]$_.sslFlags -band $CENTRAL_STORE) })
}

function Test-Covered([string]$Name, [string[]]$Domains) {
    foreach ($domain in $Domains) {
        if ($Name -eq $domain) {
            return $true
        }
        # One label stands for the asterisk.
        if ($domain.StartsWith('*.') -and $Name.Contains('.') -and $Name.Substring($Name.IndexOf('.')) -eq $domain.Substring(1)) {
            return $true
        }
    }
    return $false
}

function New-SiteBinding {
    Write-Note "making an HTTPS binding for $HostName of site '$Site'"
    New-WebBinding -Name $Site -Protocol https -Port $Port -IPAddress $IPAddress -HostHeader $HostName -SslFlags $SNI | Out-Null
}

# Address and port.
function Get-EndPoint($Binding) {
    return $Binding.bindingInformation.Substring(0, $Binding.bindingInformation.LastIndexOf(':'))
}

function Test-Sni($Binding) {
    return [bool]([int]$Binding.sslFlags -band $SNI)
}

# Without SNI a certificate belongs to address and port: nobody else's site may be there.
function Assert-Alone($Binding, [string[]]$Domains) {
    if (Test-Sni $Binding) {
        return
    }
    $end = Get-EndPoint $Binding
    $foreign = { -not (Test-Sni $_) -and (Get-EndPoint $_) -eq $end -and (Get-SiteName $_) -ne $Site -and
        -not (Test-Covered (Get-BindingHost $_) $Domains) }
    $others = @(Get-HttpsBinding | Where-Object $foreign)
    if ($others.Count -gt 0) {
        $other = Get-SiteName $others[0]
        throw "the binding $end of '$Site' has no SNI, so that '$other', which is there, too, would get the certificate"
    }
}

# Bindings that -Site and -HostName mean.
function Select-SiteBinding([string[]]$Domains) {
    if (-not (Get-Website | Where-Object { $_.name -eq $Site })) {
        throw "IIS has no site '$Site'"
    }
    if ($HostName) {
        $is = { (Get-BindingHost $_) -eq $HostName -and $_.bindingInformation.Split(':')[-2] -eq "$Port" -and
            ($IPAddress -eq '*' -or (Get-EndPoint $_) -eq "${IPAddress}:$Port") }
        if (-not (Test-Covered $HostName $Domains)) {
            throw "the certificate is not for '$HostName'"
        }
        if (-not (Get-HttpsBinding $Site | Where-Object $is)) {
            New-SiteBinding
        }
    } else {
        $is = { -not (Get-BindingHost $_) -or (Test-Covered (Get-BindingHost $_) $Domains) }
    }
    $found = @(Get-HttpsBinding $Site | Where-Object $is)
    if ($found.Count -eq 0) {
        throw "site '$Site' has no HTTPS binding that the certificate is for; -HostName makes one"
    }
    foreach ($binding in $found) {
        Assert-Alone $binding $Domains
    }
    return $found
}

function Set-Binding($Binding, [string]$Thumbprint) {
    $what = "'$(Get-SiteName $Binding)' $($Binding.bindingInformation)"
    if ($Binding.certificateHash -eq $Thumbprint -and $Binding.certificateStoreName -eq $Store) {
        Write-Note "$what has it already"
        return
    }
    try {
        $Binding.AddSslCertificate($Thumbprint, $Store)
    } catch {
        throw "could not give it to ${what}: $($_.Exception.GetBaseException().Message)"
    }
    Write-Note "$what uses it now"
}

# Those of all sites that have one of these certificates.
function Find-Binding([string[]]$Thumbprints) {
    return @(Get-HttpsBinding | Where-Object { $_.certificateHash -and $Thumbprints -contains $_.certificateHash })
}

# $Earlier: thumbprints of certificates whose bindings are taken over.
function Update-Site([string]$Thumbprint, [string[]]$Earlier, [string[]]$Domains) {
    if (-not (Get-Module -ListAvailable WebAdministration)) {
        if ($Site -or $Replace) {
            throw 'IIS, or its management scripts (the feature Web-Scripting-Tools), is not installed'
        }
        Write-Note 'IIS is not installed: the certificate was imported only'
        return
    }
    Import-Module WebAdministration
    foreach ($binding in @(Find-Binding $Earlier)) {
        Set-Binding $binding $Thumbprint
    }
    if ($Site) {
        foreach ($binding in @(Select-SiteBinding $Domains)) {
            Set-Binding $binding $Thumbprint
        }
    }
    if (@(Find-Binding $Thumbprint).Count -eq 0) {
        if ($Replace) {
            throw "no HTTPS binding uses '$Replace' or an earlier certificate of this name"
        }
        Write-Note 'no HTTPS binding uses an earlier certificate of this name; -Site or -Replace tells which are to'
    }
}

# ------------------------------------------------------------------ Remote Desktop

# None: this Windows has no Remote Desktop.
function Get-Listener {
    $where = @{
        Namespace = 'root/cimv2/TerminalServices'
        ClassName = 'Win32_TSGeneralSetting'
        Filter = "TerminalName='RDP-Tcp'"
    }
    try {
        return Get-CimInstance @where
    } catch {
        return $null
    }
}

function Update-RemoteDesktop($Certificate) {
    $listener = Get-Listener
    if (-not $listener) {
        throw 'Remote Desktop has no listener RDP-Tcp'
    }
    # Its service runs as this account.
    Grant-Key $Certificate (New-Object Security.Principal.SecurityIdentifier $NETWORK_SERVICE)
    Set-CimInstance -InputObject $listener -Property @{ SSLCertificateSHA1Hash = $Certificate.Thumbprint }
    Write-Note 'Remote Desktop uses it from the next connection on'
}

# ------------------------------------------------------------------ earlier ones

function Test-InUse([string]$Thumbprint) {
    if (Get-Module WebAdministration) {
        if (Find-Binding $Thumbprint) {
            return $true
        }
    }
    $listener = Get-Listener
    return [bool]($listener -and $listener.SSLCertificateSHA1Hash -eq $Thumbprint)
}

function Remove-Earlier([string[]]$Thumbprints) {
    foreach ($thumbprint in $Thumbprints) {
        if (Test-InUse $thumbprint) {
            Write-Note "kept $thumbprint, which is in use"
            continue
        }
        $path = "Cert:\LocalMachine\$Store\$thumbprint"
        if ((Get-Item -LiteralPath $path).HasPrivateKey) {
            Remove-Item -LiteralPath $path -DeleteKey
        } else {
            Remove-Item -LiteralPath $path
        }
        Write-Note "removed $thumbprint"
    }
}

# ------------------------------------------------------------------ all of it

function Invoke-Deploy {
    Test-Caller
    $label = "acme-dme: $(Get-Given 'ACME_DME_NAME')"
    $domains = @((Get-Given 'ACME_DME_DOMAINS').Split(' '))
    $pfx = [IO.Path]::GetFullPath((Get-Given 'ACME_DME_PFX'))
    $cert = [IO.Path]::GetFullPath((Get-Given 'ACME_DME_CERT'))

    Set-Failure $NOT_IMPORTED
    $thumbprint = (New-Object Security.Cryptography.X509Certificates.X509Certificate2 $cert).Thumbprint
    $isOurs = { $_.Thumbprint -eq $thumbprint -and $_.HasPrivateKey }
    if (Find-Certificate $isOurs) {
        Write-Note "$thumbprint is in LocalMachine\$Store already"
    } else {
        Import-File $pfx $thumbprint $label
    }
    $certificate = @(Find-Certificate $isOurs)[0]
    $isEarlier = { $_.FriendlyName -eq $label -and $_.Thumbprint -ne $thumbprint }
    $earlier = @(Find-Certificate $isEarlier | ForEach-Object { $_.Thumbprint })

    Set-Failure $NOT_USED
    if ($ReadableBy) {
        Grant-Key $certificate (Find-Account $ReadableBy)
    }
    $replaced = $earlier
    if ($Replace) {
        # Windows' own dialog shows it with blanks, and with an invisible mark in front.
        $replaced += $Replace -replace '[^0-9A-Fa-f]', ''
    }
    Update-Site $thumbprint $replaced $domains
    if ($RemoteDesktop) {
        Update-RemoteDesktop $certificate
    }
    if ($RemoveOld) {
        Remove-Earlier $earlier
    }
}

# The console's, which stays when we have ended.  A process without one can't be told.
function Set-Encoding($Encoding) {
    try {
        [Console]::OutputEncoding = $Encoding
        return $true
    } catch {
        return $false
    }
}

$before = [Console]::OutputEncoding
if (-not (Set-Encoding (New-Object Text.UTF8Encoding $false))) {
    Write-Note 'the output may not be UTF-8'
}
try {
    Invoke-Deploy
    $script:status = 0
} catch {
    $why = $_.Exception.GetBaseException().Message -replace '\s+', ' '
    [Console]::Error.WriteLine("import-iis.ps1: $why")
} finally {
    Set-Encoding $before | Out-Null
}
exit $script:status
