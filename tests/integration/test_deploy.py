"""The programs of hooks/deploy with real servers: what is served before and after, and when the server's configuration is broken."""

import os
import re
import stat

import pytest

from lab import binaries, ca, x509
from program import until

DEPLOY = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "hooks", "deploy")
HOST = "host.example.com"
ADDRESS, PORT = "127.0.0.40", 8443
PROGRAM = 15  # src/cmd/exit.c: a program failed


def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def serial(path):
    return x509.text(path, "-serial")


class Lineage:
    """Certificates in the directory of a state directory, from a CA that the test made up."""

    def __init__(self, lab, name=HOST):
        self.lab, self.name = lab, name
        self.base = lab.new_dir("lineage")
        self.authority = ca.Authority(os.path.join(self.base, "ca"), "a made-up CA")
        self.dir = os.path.join(self.base, "certs", name)
        self.generation = 0
        os.mkdir(os.path.dirname(self.dir))

    def file(self, name):
        return os.path.join(self.dir, name)

    def renew(self):
        """A new generation; returns its serial number."""
        self.generation += 1
        leaf, key = (read(path) for path in self.authority.leaf(f"g{self.generation}", [f"DNS:{self.name}"]))
        root = read(self.authority.cert)
        place = os.path.join(self.base, "archive", f"{self.generation:08}")
        os.makedirs(place)
        for name, text in {"cert.pem": leaf, "chain.pem": root, "fullchain.pem": leaf + root}.items():
            write(os.path.join(place, name), text, 0o644)
        write(os.path.join(place, "privkey.pem"), key)
        os.symlink(f"../archive/{self.generation:08}", self.dir + ".new")
        os.rename(self.dir + ".new", self.dir)
        return serial(self.file("cert.pem"))

    def env(self):
        return {"ACME_DME_NAME": self.name, "ACME_DME_EVENT": "deploy", "ACME_DME_CERT": self.file("cert.pem"),
                "ACME_DME_CHAIN": self.file("chain.pem"), "ACME_DME_FULLCHAIN": self.file("fullchain.pem"),
                "ACME_DME_KEY": self.file("privkey.pem"), "ACME_DME_DOMAINS": self.name, "RENEWED_LINEAGE": self.dir,
                "RENEWED_DOMAINS": self.name}

    def deploy(self, script, *args, path=None, **env):
        return self.lab.run([os.path.join(DEPLOY, script), *args], env={**self.env(), **env}, path=path)


class Server:
    """One that listens at ADDRESS:PORT in the lab."""

    def __init__(self, lab):
        self.lab = lab
        self.base = lab.new_dir(type(self).__name__.lower())
        self.config = self.path("server.conf")
        self.pid_file = self.path("server.pid")

    def path(self, name):
        return os.path.join(self.base, name)

    def stop(self):
        if os.path.exists(self.pid_file):
            self.lab.run(["sh", "-c", 'pid=$(cat "$0") && kill "$pid" && while kill -0 "$pid"; do sleep 0.02; done', self.pid_file], timeout=10)

    def serial(self, name=HOST):
        """Of the certificate that it shows; None: it shows none."""
        done = self.lab.run(["sh", "-c", 'openssl s_client -connect "$0" -servername "$1" </dev/null 2>/dev/null | openssl x509 -noout -serial',
                             f"{ADDRESS}:{PORT}", name])
        return done.stdout.strip() if done.returncode == 0 else None

    def serves(self, wanted, root, name=HOST):
        """Before long WANTED is served (a reload is not awaited by who asks for it), and curl likes it."""
        until(lambda: self.serial(name) == wanted, what=f"a server that shows {wanted}")
        asks = ["curl", "-sS", "--cacert", root, "--resolve", f"{name}:{PORT}:{ADDRESS}", f"https://{name}:{PORT}/"]
        # The old workers may still take a connection or two.
        done = until(lambda: next((d for d in [self.lab.run(asks)] if d.returncode == 0), None), what="a server that curl likes")
        assert done.stdout == "hello\n", done

    def still_serves(self, wanted):
        """Also in a while."""
        self.lab.run(["sleep", "0.5"]).ok()
        assert self.serial() == wanted


def binary(name):
    path = binaries.find(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


class Nginx(Server):
    CONFIG = """
user root root;
pid {pid};
error_log {base}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {base}/body; proxy_temp_path {base}/proxy; fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi; scgi_temp_path {base}/scgi;
    server {{
        listen {listen};
        {more}
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""

    def __init__(self, lab):
        super().__init__(lab)
        self.args = ["-e", self.path("error.log"), "-c", self.config]

    def configure(self, directory=None, more=""):
        """TLS with the files of that directory, or none."""
        if directory:
            more = f"ssl_certificate {directory}/fullchain.pem; ssl_certificate_key {directory}/privkey.pem; {more}"
        listen = f"{ADDRESS}:{PORT}{' ssl' if directory else ''}"
        write(self.config, self.CONFIG.format(pid=self.pid_file, base=self.base, listen=listen, more=more))

    def start(self):
        self.lab.run([binary("nginx"), *self.args]).ok()

    def reload(self):
        self.lab.run([binary("nginx"), *self.args, "-s", "reload"]).ok()


class Haproxy(Server):
    CONFIG = """
global
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend all
    bind {address}:{port} ssl crt {certs}
    http-request return status 200 content-type text/plain string "hello\\n"
    {more}
"""

    def __init__(self, lab):
        super().__init__(lab)
        self.certs = self.path("certs")
        self.socket = self.path("socket")
        os.mkdir(self.certs)
        self.args = ["-f", self.config, "-p", self.pid_file]

    def configure(self, more=""):
        write(self.config, self.CONFIG.format(socket=self.socket, address=ADDRESS, port=PORT, certs=self.certs, more=more))

    def file(self, name=HOST):
        return os.path.join(self.certs, name + ".pem")

    def start(self):
        self.lab.run([binary("haproxy"), "-D", "-W", *self.args]).ok()

    def workers(self):
        """Its processes that serve: a reload makes new ones."""
        return sorted(self.lab.run(["pgrep", "-P", read(self.pid_file).split()[0]]).stdout.split())


@pytest.fixture
def nginx(lab):
    binary("nginx")
    server = Nginx(lab)
    yield server
    server.stop()


@pytest.fixture
def haproxy(lab):
    binary("haproxy")
    server = Haproxy(lab)
    yield server
    server.stop()


@pytest.fixture
def lineage(lab):
    return Lineage(lab)


# ------------------------------------------------------------------ nginx

def test_nginx_serves_the_new_certificate_after_a_reload(nginx, lineage):
    first = lineage.renew()
    nginx.configure(lineage.dir)
    nginx.start()
    nginx.serves(first, lineage.authority.cert)
    second = lineage.renew()
    assert nginx.serial() == first != second
    done = lineage.deploy("nginx", *nginx.args).ok()
    assert (done.stdout, done.stderr) == ("", ""), done
    nginx.serves(second, lineage.authority.cert)


def test_a_broken_nginx_configuration_fails_and_the_old_certificate_is_served(nginx, lineage):
    first = lineage.renew()
    nginx.configure(lineage.dir)
    nginx.start()
    nginx.serves(first, lineage.authority.cert)
    lineage.renew()
    nginx.configure(lineage.dir, more="no_such_directive on;")
    done = lineage.deploy("nginx", *nginx.args)
    assert done.returncode != 0 and "no_such_directive" in done.stderr, done
    nginx.still_serves(first)


def test_an_nginx_that_does_not_run_is_a_failure(nginx, lineage):
    lineage.renew()
    nginx.configure(lineage.dir)
    done = lineage.deploy("nginx", *nginx.args)
    assert done.returncode != 0 and nginx.pid_file in done.stderr, done


# ------------------------------------------------------------------ HAProxy

def start_haproxy(haproxy, lineage):
    """With a first certificate in its directory; returns the serial number."""
    first = lineage.renew()
    write(haproxy.file(), read(lineage.file("fullchain.pem")) + read(lineage.file("privkey.pem")))
    haproxy.configure()
    haproxy.start()
    haproxy.serves(first, lineage.authority.cert)
    return first


def check_written(haproxy, lineage, names=(HOST,)):
    assert read(haproxy.file(lineage.name)) == read(lineage.file("fullchain.pem")) + read(lineage.file("privkey.pem"))
    assert mode(haproxy.file(lineage.name)) == 0o600
    assert sorted(os.listdir(haproxy.certs)) == sorted(f"{name}.pem" for name in names)


def test_haproxy_serves_the_new_certificate_after_a_reload(haproxy, lineage):
    start_haproxy(haproxy, lineage)
    second = lineage.renew()
    lineage.deploy("haproxy", *haproxy.args, haproxy.certs).ok()
    haproxy.serves(second, lineage.authority.cert)
    check_written(haproxy, lineage)


def test_haproxy_takes_the_new_certificate_from_its_socket_without_a_reload(haproxy, lineage):
    if not binaries.find("socat"):
        pytest.skip("socat is not installed")
    start_haproxy(haproxy, lineage)
    workers = haproxy.workers()
    assert workers
    for _ in range(2):
        new = lineage.renew()
        lineage.deploy("haproxy", "-s", haproxy.socket, *haproxy.args, haproxy.certs).ok()
        haproxy.serves(new, lineage.authority.cert)
        check_written(haproxy, lineage)
    assert haproxy.workers() == workers


def test_a_certificate_that_haproxy_does_not_know_is_loaded_by_a_reload_even_with_a_socket(haproxy, lineage):
    first = start_haproxy(haproxy, lineage)
    other = Lineage(haproxy.lab, "other.example.com")
    serial_of_other = other.renew()
    other.deploy("haproxy", "-s", haproxy.socket, *haproxy.args, haproxy.certs).ok()
    haproxy.serves(serial_of_other, other.authority.cert, "other.example.com")
    haproxy.serves(first, lineage.authority.cert)
    check_written(haproxy, other, (HOST, "other.example.com"))


def test_a_broken_haproxy_configuration_fails_and_everything_is_as_it_was(haproxy, lineage):
    first = start_haproxy(haproxy, lineage)
    before = read(haproxy.file())
    lineage.renew()
    haproxy.configure(more="no-such-keyword")
    done = lineage.deploy("haproxy", *haproxy.args, haproxy.certs)
    assert done.returncode != 0 and "no-such-keyword" in done.stdout + done.stderr, done
    assert read(haproxy.file()) == before and os.listdir(haproxy.certs) == [f"{HOST}.pem"]
    haproxy.still_serves(first)

    other = Lineage(haproxy.lab, "other.example.com")
    other.renew()
    assert other.deploy("haproxy", *haproxy.args, haproxy.certs).returncode != 0
    assert os.listdir(haproxy.certs) == [f"{HOST}.pem"]


def test_a_socket_that_nobody_listens_at_fails_and_the_old_file_comes_back(haproxy, lineage):
    first = start_haproxy(haproxy, lineage)
    before = read(haproxy.file())
    lineage.renew()
    done = lineage.deploy("haproxy", "-s", haproxy.path("nobody"), *haproxy.args, haproxy.certs)
    assert done.returncode != 0, done
    assert read(haproxy.file()) == before and os.listdir(haproxy.certs) == [f"{HOST}.pem"]
    haproxy.still_serves(first)


# ------------------------------------------------------------------ copy

def test_copies_have_their_mode_and_the_command_runs_with_them_in_place(lab, lineage):
    lineage.renew()
    place = lab.new_dir("copies")
    done = lineage.deploy("copy", "-o", "0:0", "-m", "0640", f"fullchain={place}/server crt", f"key={place}/server.key", "--",
                          "grep", "-c", "BEGIN CERTIFICATE", f"{place}/server crt").ok()
    assert done.stdout == "2\n"
    for name, origin in {"server crt": "fullchain.pem", "server.key": "privkey.pem"}.items():
        assert read(os.path.join(place, name)) == read(lineage.file(origin))
        assert mode(os.path.join(place, name)) == 0o640
    assert sorted(os.listdir(place)) == ["server crt", "server.key"]

    # Without -m nobody else may read them, without a command they are just there.
    lineage.renew()
    lineage.deploy("copy", f"key={place}/server.key").ok()
    assert read(f"{place}/server.key") == read(lineage.file("privkey.pem")) and mode(f"{place}/server.key") == 0o600


def test_previous_copies_come_back_when_the_command_fails(lab, lineage):
    lineage.renew()
    place = lab.new_dir("copies")
    write(f"{place}/server.crt", "as it was\n", 0o644)
    done = lineage.deploy("copy", f"fullchain={place}/server.crt", f"key={place}/server.key", "--", "sh", "-c", 'ls "$0"; exit 3', place)
    assert done.returncode == 1 and done.stdout.split() == ["server.crt", "server.key"], done
    assert read(f"{place}/server.crt") == "as it was\n" and mode(f"{place}/server.crt") == 0o644
    assert os.listdir(place) == ["server.crt"]


def test_no_copy_is_made_when_one_of_them_can_not_be(lab, lineage):
    lineage.renew()
    place = lab.new_dir("copies")
    write(f"{place}/server.crt", "as it was\n")
    for wrong in (f"key={place}/nowhere/server.key", f"pfx={place}/server.pfx", f"keys={place}/server.key", "key=server.key", "key"):
        done = lineage.deploy("copy", f"fullchain={place}/server.crt", wrong, "--", "touch", f"{place}/touched")
        assert done.returncode != 0 and done.stderr, done
        assert read(f"{place}/server.crt") == "as it was\n" and os.listdir(place) == ["server.crt"], wrong
    assert lineage.deploy("copy").returncode == 2


# ------------------------------------------------------------------ servers that the lab does not have

class StandIns:
    """Programs that note how they are called, instead of the real ones."""

    def __init__(self, lab, *names):
        self.dir, self.log = lab.new_dir("stand-ins"), os.path.join(lab.new_dir("calls"), "log")
        for name in names:
            self.add(name)

    def add(self, name, status=0, when="*"):
        write(os.path.join(self.dir, name), f'#!/bin/sh\necho "{name} $*" >>{self.log}\ncase $* in {when}) exit {status} ;; esac\n', 0o755)

    def calls(self):
        made = read(self.log).split("\n")[:-1] if os.path.exists(self.log) else []
        write(self.log, "")
        return made


def test_apache_is_tested_before_it_is_told(lab, lineage):
    apache = StandIns(lab, "apache2ctl")
    lineage.deploy("apache", path=apache.dir).ok()
    assert apache.calls() == ["apache2ctl configtest", "apache2ctl graceful"]
    apache.add("apache2ctl", 1, "configtest")
    assert lineage.deploy("apache", path=apache.dir).returncode == 1
    assert apache.calls() == ["apache2ctl configtest"]


def test_postfix_and_dovecot_are_tested_before_one_of_them_is_told(lab, lineage):
    mail = StandIns(lab, "postfix", "doveconf", "doveadm")
    lineage.deploy("postfix-dovecot", path=mail.dir).ok()
    assert mail.calls() == ["postfix check", "doveconf ", "postfix reload", "doveadm reload"]
    mail.add("doveconf", 89)
    assert lineage.deploy("postfix-dovecot", path=mail.dir).returncode == 89
    assert mail.calls() == ["postfix check", "doveconf "]
    for name in ("doveconf", "doveadm"):
        os.unlink(os.path.join(mail.dir, name))
    if not binaries.find("doveadm"):
        lineage.deploy("postfix-dovecot", path=mail.dir).ok()
        assert mail.calls() == ["postfix check", "postfix reload"]


# ------------------------------------------------------------------ whole runs

@pytest.fixture
def managed(program, nginx):
    """The program with a certificate in its configuration that nginx gets, and an nginx that does not use it yet."""
    program.configure(acme__directory=program.lab.acme_dir, acme__ca_file=program.lab.ca_file, acme__email="admin@example.com",
                      acme__agree_tos=True,
                      certificates=[{"domains": [HOST, "*." + HOST], "deploy": [os.path.join(DEPLOY, "nginx"), *nginx.args]}])
    nginx.configure()
    nginx.start()
    return program


def certificate(program, name="fullchain.pem"):
    return os.path.join(program.state, "certs", HOST, name)


def issue(program, nginx):
    """The first certificate, which nginx then uses; returns its serial number."""
    done = program.run("issue", "--name", HOST, timeout=120).ok()
    assert re.fullmatch(rf"{HOST}: certificate for 2 names until \S+: \S+/certs/{HOST}\n", done.stdout), done
    nginx.configure(os.path.dirname(certificate(program)))
    nginx.reload()
    # A renewal comes weeks later: the CA's resolver has forgotten the first values by then.
    program.lab.flush()
    return serial(certificate(program))


def test_issued_and_renewed_certificates_are_served(managed, nginx):
    first = issue(managed, nginx)
    root = managed.lab.acme_root()
    nginx.serves(first, root)
    managed.lab.flush()  # settle is 0 here: the CA's resolver still knows the first records
    managed.run("renew", "--force", timeout=120).ok()
    second = serial(certificate(managed))
    assert second != first and x509.names(certificate(managed)) == sorted([HOST, "*." + HOST])
    nginx.serves(second, root)
    managed.clean()


def test_a_deploy_program_that_failed_is_run_again_without_another_certificate(managed, nginx):
    first = issue(managed, nginx)
    nginx.serves(first, managed.lab.acme_root())
    directory = os.path.dirname(certificate(managed))
    nginx.configure(directory, more="no_such_directive on;")
    managed.lab.flush()
    done = managed.run("renew", "--force", timeout=120)
    assert done.returncode == PROGRAM and HOST in done.stderr, done
    second = serial(certificate(managed))
    assert second != first
    nginx.still_serves(first)

    assert managed.run("renew", timeout=120).returncode == PROGRAM
    nginx.configure(directory)
    managed.run("renew", timeout=120).ok()
    assert serial(certificate(managed)) == second
    nginx.serves(second, managed.lab.acme_root())
    assert managed.run("renew", timeout=120).ok().stdout == ""
    managed.clean()
