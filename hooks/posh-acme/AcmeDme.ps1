# SPDX-License-Identifier: MIT
#
# Posh-ACME plugin: DNS Made Easy through acme-dme.  Copy it to a directory of your own, point POSHACME_PLUGINS there, and
# issue with "-Plugin AcmeDme -DnsSleep 0".  Credentials are acme-dme's own; Posh-ACME stores none.
#
# Add-DnsTxt and Remove-DnsTxt have acme-dme check the name and take a note (--defer).  Save-DnsTxt, which Posh-ACME calls
# once for all of them, has it done: one request to DNS Made Easy for each zone, and one wait for all names.  If it fails,
# nothing is left behind.

function Get-CurrentPluginType { 'dns-01' }

function Add-DnsTxt {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory,Position=0)]
        [string]$RecordName,
        [Parameter(Mandatory,Position=1)]
        [string]$TxtValue,
        [string]$AcmeDmePath,
        [string]$AcmeDmeConfig,
        [Parameter(ValueFromRemainingArguments)]
        $ExtraParams
    )

    # A dns-persist-01 value ("issuer; accounturi=...") has to stay; acme-dme makes records that go away again.
    if ($TxtValue -match '[\s;]') {
        throw "The AcmeDme plugin serves dns-01 only; '$RecordName' is to hold '$TxtValue'."
    }
    Invoke-AcmeDme @('--defer','add-record',$RecordName,$TxtValue) $AcmeDmePath $AcmeDmeConfig

    <#
    .SYNOPSIS
        Note a TXT record that Save-DnsTxt is to create at DNS Made Easy.

    .PARAMETER RecordName
        The fully qualified name of the TXT record.

    .PARAMETER TxtValue
        The value of the TXT record.

    .PARAMETER AcmeDmePath
        Path of acme-dme, if it is not on PATH.

    .PARAMETER AcmeDmeConfig
        Path of its configuration file, if it is not in the usual place.

    .PARAMETER ExtraParams
        Parameters of other plugins; ignored.

    .EXAMPLE
        Add-DnsTxt '_acme-challenge.example.com' 'txt-value'; Save-DnsTxt

        Creates the record, and returns when all name servers show it.
    #>
}

function Remove-DnsTxt {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory,Position=0)]
        [string]$RecordName,
        [Parameter(Mandatory,Position=1)]
        [string]$TxtValue,
        [string]$AcmeDmePath,
        [string]$AcmeDmeConfig,
        [Parameter(ValueFromRemainingArguments)]
        $ExtraParams
    )

    Invoke-AcmeDme @('--defer','del-record',$RecordName,$TxtValue) $AcmeDmePath $AcmeDmeConfig

    <#
    .SYNOPSIS
        Note a TXT record that Save-DnsTxt is to delete at DNS Made Easy.

    .PARAMETER RecordName
        The fully qualified name of the TXT record.

    .PARAMETER TxtValue
        The value of the TXT record.  Only a record with exactly this value is deleted.

    .PARAMETER AcmeDmePath
        Path of acme-dme, if it is not on PATH.

    .PARAMETER AcmeDmeConfig
        Path of its configuration file, if it is not in the usual place.

    .PARAMETER ExtraParams
        Parameters of other plugins; ignored.

    .EXAMPLE
        Remove-DnsTxt '_acme-challenge.example.com' 'txt-value'; Save-DnsTxt

        Deletes the record.  One that is not there is no error.
    #>
}

function Save-DnsTxt {
    [CmdletBinding()]
    param(
        [string]$AcmeDmePath,
        [string]$AcmeDmeConfig,
        [Parameter(ValueFromRemainingArguments)]
        $ExtraParams
    )

    Invoke-AcmeDme @('save-records') $AcmeDmePath $AcmeDmeConfig

    <#
    .SYNOPSIS
        Create and delete the noted TXT records at DNS Made Easy, and wait until all name servers show the new ones.

    .PARAMETER AcmeDmePath
        Path of acme-dme, if it is not on PATH.

    .PARAMETER AcmeDmeConfig
        Path of its configuration file, if it is not in the usual place.

    .PARAMETER ExtraParams
        Parameters of other plugins; ignored.

    .EXAMPLE
        Save-DnsTxt

        Carries out what Add-DnsTxt and Remove-DnsTxt noted.
    #>
}

############################
# Helper Functions
############################

function Invoke-AcmeDme {
    param([string[]]$Words, [string]$Path, [string]$Config)

    $program = if ($Path) { $Path } else { 'acme-dme' }
    if (-not (Get-Command $program -CommandType Application -ErrorAction Ignore)) {
        throw "There is no program '$program'; name its path by the plugin argument AcmeDmePath."
    }
    $arguments = @(if ($Config) { '--config'; $Config }) + $Words

    # Lines on standard error are no PowerShell errors; only the exit status counts.
    $ErrorActionPreference = 'Continue'
    $PSNativeCommandUseErrorActionPreference = $false
    $global:LASTEXITCODE = $null
    $output = & $program $arguments 2>&1 | ForEach-Object { "$_" }
    $output | ForEach-Object { Write-Verbose $_ }
    if ($LASTEXITCODE -ne 0) {
        throw "acme-dme $($Words[0..1] -join ' ') failed with exit status ${LASTEXITCODE}: $($output -join ' ')"
    }
}
