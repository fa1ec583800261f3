"""The files of hooks/ for Windows.  Neither PowerShell nor a Task Scheduler is to be had here, so they are looked at, not run."""

import glob
import os
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

import windows
from test_hooks_dir import HOOKS

ROOT = os.path.dirname(HOOKS)
WINDOWS = os.path.join(HOOKS, "windows")
POWERSHELL = sorted(glob.glob(os.path.join(HOOKS, "**", "*.ps1"), recursive=True))
INSTALLED = "C:\\Program Files\\acme-dme"
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def read(*names):
    # newline: what the file has.
    with open(os.path.join(ROOT, *names), encoding="utf-8", newline="") as f:
        return f.read()


def duration(text):
    """Seconds of PT5H, as far as the task needs it."""
    return int(re.fullmatch(r"PT(\d+)H", text).group(1)) * 3600


# ------------------------------------------------------------------ the task

@pytest.fixture(scope="module")
def task():
    """The elements of the task by their paths, "Settings/Enabled", without the schema's name."""
    path = os.path.join(WINDOWS, "acme-dme-renew.xml")
    with open(path, "rb") as f:
        first = f.readline()
        rest = f.read()
    # schtasks gives the text on as UTF-16, and refuses it then if it says that it is something else.
    assert first.strip() == b'<?xml version="1.0"?>'
    assert (first + rest).isascii()
    root = ElementTree.parse(path).getroot()
    assert root.tag == TASK + "Task" and root.get("version") == "1.2"
    assert all(element.tag.startswith(TASK) for element in root.iter())
    return root


def texts(task, path):
    return [element.text for element in task.findall("/".join(TASK + part for part in path.split("/")))]


def test_the_task_runs_as_system_whatever_it_is_called(task):
    assert texts(task, "Principals/Principal/UserId") == ["S-1-5-18"]
    assert texts(task, "Principals/Principal/RunLevel") == ["HighestAvailable"]
    assert task.find(TASK + "Principals")[0].get("id") == task.find(TASK + "Actions").get("Context")


def test_the_task_runs_twice_a_day_at_a_random_moment(task):
    triggers = task.find(TASK + "Triggers")
    assert len(triggers) == 2
    for trigger in triggers:
        # The order is the schema's.
        assert [child.tag[len(TASK):] for child in trigger] == ["StartBoundary", "RandomDelay", "ScheduleByDay"]
    starts = texts(task, "Triggers/CalendarTrigger/StartBoundary")
    assert sorted(start[10:] for start in starts) == ["T00:00:00", "T12:00:00"]
    assert texts(task, "Triggers/CalendarTrigger/ScheduleByDay/DaysInterval") == ["1", "1"]
    # The next one begins after the latest moment of this one.
    assert all(0 < duration(delay) < 12 * 3600 for delay in texts(task, "Triggers/CalendarTrigger/RandomDelay"))


def test_the_task_has_what_a_server_and_a_laptop_need(task):
    for name, value in {"MultipleInstancesPolicy": "IgnoreNew", "StartWhenAvailable": "true", "DisallowStartIfOnBatteries": "false",
                        "StopIfGoingOnBatteries": "false", "RunOnlyIfNetworkAvailable": "false", "RunOnlyIfIdle": "false",
                        "Enabled": "true"}.items():
        assert texts(task, f"Settings/{name}") == [value], name
    assert 3600 <= duration(texts(task, "Settings/ExecutionTimeLimit")[0]) < 12 * 3600
    assert texts(task, "Settings/IdleSettings/StopOnIdleEnd") == ["false"]


def test_the_task_calls_a_command_of_the_program(task, acme_dme):
    assert texts(task, "Actions/Exec/Command") == [f'"{INSTALLED}\\acme-dme.exe"']
    assert texts(task, "Actions/Exec/WorkingDirectory") == [INSTALLED]
    words = texts(task, "Actions/Exec/Arguments")[0].split()
    told = subprocess.run([acme_dme, "--help"], capture_output=True, text=True, check=True).stdout
    assert words and all(re.search(rf"^ *(acme-dme .*)?\b{word}\b", told, re.M) for word in words)


def test_the_task_is_made_and_deleted_under_one_name():
    for file in ("hooks/windows/acme-dme-renew.xml", "hooks/windows/README.md"):
        lines = re.findall(r'schtasks /(\w+) +/TN "([^"]*)"(.*)', read(file).replace("\\\n", ""))
        assert {verb for verb, _, _ in lines} == {"Create", "Run", "Query", "Delete"}, file
        assert {name for _, name, _ in lines} == {"acme-dme renew"}, file
        assert [rest for verb, _, rest in lines if verb == "Create"] == [f' /XML "{INSTALLED}\\hooks\\windows\\acme-dme-renew.xml"'], file


# ------------------------------------------------------------------ PowerShell

TOKEN = re.compile(r"""
    (?P<comment> <\#.*?\#> | (?<![\w`$])\#[^\n]* )
  | (?P<here> @(['"])\n.*?\n\3@ )
  | (?P<single> '(?:[^']|'')*' )
  | (?P<double> "(?:[^"`]|`.|"")*" )
  | (?P<bracket> [()\[\]{}] )
""", re.X | re.S)


def code_of(text):
    """Without comments and what stands in single quotes; in double ones expressions are code."""
    return TOKEN.sub(lambda m: m.group() if m.group("bracket") or m.group("double") else "", text)


def unbalanced(text):
    open_ones = []
    for match in TOKEN.finditer(text):
        bracket = match.group("bracket")
        if match.group("double"):
            # $( ... ) within it has brackets of its own.
            open_ones += unbalanced(re.sub(r"[^()\[\]{}]", " ", match.group()[1:-1])) if "$(" in match.group() else []
        elif bracket in list("([{"):
            open_ones.append(bracket)
        elif bracket:
            if not open_ones or open_ones.pop() + bracket not in ("()", "[]", "{}"):
                return [bracket]
    return open_ones


def test_what_counts_brackets_counts_them():
    assert unbalanced("if (1) { '}' } # )") == []
    for wrong in ("if (1) {", "}", "( ]", '"$(a"'):
        assert unbalanced(wrong), wrong


def test_there_are_powershell_files():
    assert [os.path.relpath(file, HOOKS) for file in POWERSHELL] == ["posh-acme/AcmeDme.ps1", "windows/import-iis.ps1"]


@pytest.mark.parametrize("file", POWERSHELL, ids=os.path.basename)
def test_powershell_5_can_read_it(file):
    with open(file, "rb") as f:
        data = f.read()
    # Without a mark at its beginning PowerShell 5.1 takes a file for one in the code page of the machine.
    assert data.isascii() and b"\r" not in data and data.endswith(b"\n")
    text = data.decode("ascii")
    assert unbalanced(text) == []
    # Operators that came with PowerShell 7.
    assert not re.search(r"&&|\|\||\?\?|\?\.|-Parallel\b", code_of(text))


@pytest.mark.parametrize("file", POWERSHELL, ids=os.path.basename)
def test_powershell_understands_it(file, tmp_path):
    pwsh = shutil.which("pwsh")
    if not pwsh:
        pytest.skip("optional: pwsh is not installed")
    script = tmp_path / "parse.ps1"
    script.write_text("$e = $null\n[void][Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$e)\n"
                      "$e | ForEach-Object { \"$_\" }\nexit $e.Count\n")
    done = subprocess.run([pwsh, "-NoProfile", "-NonInteractive", "-File", script, file], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, ""), done


@pytest.fixture(scope="module")
def deploy():
    return read("hooks", "windows", "import-iis.ps1")


def test_the_deploy_program_is_strict(deploy):
    for line in ("Set-StrictMode -Version 2.0", "$ErrorActionPreference = 'Stop'", "#Requires -Version 5.1"):
        assert re.search(rf"^{re.escape(line)}$", deploy, re.M), line


def test_the_deploy_program_explains_its_arguments(deploy):
    head, rest = deploy.split("[CmdletBinding()]", 1)
    parameters = re.findall(r"^    (?:\[.*\])?\$(\w+)\b.*?,?$", rest.split("\n)\n", 1)[0], re.M)
    assert len(parameters) == 11
    assert re.findall(r"^#     -(\w+) ", head, re.M) and set(re.findall(r"^#     -(\w+) ", head, re.M)) == set(parameters)


def test_the_deploy_program_reads_what_it_is_given(deploy):
    used = set(re.findall(r"\bACME_DME_\w+", code_of(deploy) + " ".join(re.findall(r"'(ACME_DME_\w+)'", deploy))))
    given = set(re.findall(r'"(ACME_DME_\w+)"', read("src", "flow", "program.c")))
    assert {"ACME_DME_PFX", "ACME_DME_CERT", "ACME_DME_NAME", "ACME_DME_DOMAINS"} <= used <= given


def test_the_deploy_program_takes_no_password_on_its_command_line(deploy):
    assert re.findall(r"\$\w*[Pp]assword\w*", deploy.split("Set-StrictMode")[0]) == ["$PasswordFile"]


def test_functions_of_the_deploy_program_are_there_and_used(deploy):
    defined = re.findall(r"^function ([\w-]+)", deploy, re.M)
    code = code_of(deploy)
    assert len(defined) == len(set(defined)) > 10
    for name in defined:
        assert len(re.findall(rf"(?<![\w-]){name}(?![\w-])", code)) >= 2, name
    # Those that are not ours are Windows' or PowerShell's own.
    known = {"Add-Issuer", "ForEach-Object", "Get-CimInstance", "Get-Item", "Get-Module", "Get-WebBinding", "Get-Website", "Import-Module",
             "New-Object", "New-WebBinding", "Out-Null", "Remove-Item", "Set-CimInstance", "Set-StrictMode", "Where-Object"}
    assert set(re.findall(r"(?<![\w\\:/'-])[A-Z][a-z]+-[A-Z]\w+", re.sub(r"'[^']*'", "", code))) <= known | set(defined)


# ------------------------------------------------------------------ the configuration, and commands

def loads(acme_dme, tmp_path, text):
    """Linux takes no path of Windows for an absolute one."""
    file = tmp_path / "acme-dme.yaml"
    text = text.replace(r"'C:\ProgramData\acme-dme", f"'{tmp_path}")
    if not windows.is_windows():
        text = re.sub(r"'C:\\[^']*\.(exe|ps1)'", "/bin/true", text)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    done = subprocess.run([acme_dme, "--config", file, "--state-dir", tmp_path / "state", "list", "--json"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    return file


def test_the_example_loads_as_it_is_and_with_all_of_it(acme_dme, tmp_path):
    text = read("hooks", "windows", "acme-dme.yaml.example")
    loads(acme_dme, tmp_path, text)
    file = loads(acme_dme, tmp_path, re.sub(r"^#(?=\S| {2}\S| {11}-)", "", text, flags=re.M).replace("  #pfx_legacy", "  pfx_legacy"))
    shown = subprocess.run([acme_dme, "--config", file, "--state-dir", tmp_path / "state", "show", "example.com"], capture_output=True, text=True)
    assert shown.returncode == 0, shown
    for word in ("Default Web Site", "*.example.com", "pfx: true (", "pfx_legacy: true ("):
        assert word in shown.stdout, shown


@pytest.mark.parametrize("file", ["hooks/windows/README.md"])
def test_yaml_in_the_text_loads(acme_dme, tmp_path, file):
    blocks = re.findall(r"^```yaml\n(.*?)^```$", read(file), re.M | re.S)
    assert blocks
    for block in blocks:
        loads(acme_dme, tmp_path, block)


def test_the_directory_is_made_private_everywhere_in_the_same_way():
    texts = {file: read(file) for file in ("README.md", "docs/windows.md", "hooks/win-acme/README.md", "hooks/windows/acme-dme.yaml.example")}
    texts["man"] = read("man", "acme-dme.yaml.5").replace("\\(dq", '"').replace("\\e", "\\")
    commands = {file: re.findall(r'(?:mkdir|icacls) "%ProgramData%[^\n]*', text) for file, text in texts.items()}
    assert len(commands["README.md"]) == 3
    assert all(found == commands["README.md"] for found in commands.values()), commands


def test_paths_that_are_named_are_those_of_the_tree():
    for file in ("README.md", "docs/windows.md", "hooks/win-acme/README.md", "hooks/windows/README.md", "hooks/windows/acme-dme.yaml.example",
                 "hooks/windows/acme-dme-renew.xml", "hooks/windows/import-iis.ps1"):
        for path in re.findall(r"C:\\Program Files\\acme-dme\\(hooks\\[\w.\\-]+)", read(file)):
            assert os.path.exists(os.path.join(ROOT, *path.rstrip(".").split("\\"))), (file, path)
