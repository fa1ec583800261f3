# Shims and snippets, installed as $(pkgdatadir)/hooks/...; see hooks/README.md.
nobase_dist_pkgdata_DATA = \
	hooks/README.md \
	hooks/acme.sh/dns_acmedme.sh \
	hooks/acmetool/README.md \
	hooks/acmetool/desired.yaml \
	hooks/certbot/cli.ini \
	hooks/certbot/renewal.conf \
	hooks/certify/README.md \
	hooks/cron/acme-dme-renew \
	hooks/cron/acme-dme-sweep \
	hooks/dehydrated/config \
	hooks/deploy/README.md \
	hooks/getssl/getssl.cfg \
	hooks/lego/lego.env \
	hooks/mod_md/acme-dme.conf \
	hooks/monitoring/acme-dme-check.service \
	hooks/monitoring/acme-dme-check.timer \
	hooks/monitoring/acme-dme-status.cron \
	hooks/monitoring/acme-dme-status.service \
	hooks/monitoring/acme-dme-status.timer \
	hooks/monitoring/alerts.yml \
	hooks/monitoring/icinga2.conf \
	hooks/monitoring/nagios.cfg \
	hooks/monitoring/sudoers \
	hooks/posh-acme/AcmeDme.ps1 \
	hooks/proxmox/README.md \
	hooks/systemd/acme-dme-renew.service \
	hooks/systemd/acme-dme-renew.timer \
	hooks/systemd/acme-dme-sweep.service \
	hooks/systemd/acme-dme-sweep.timer \
	hooks/traefik/Dockerfile \
	hooks/traefik/compose.yaml \
	hooks/uacme/acme-dme-uacme.cron \
	hooks/win-acme/README.md \
	hooks/windows/README.md \
	hooks/windows/acme-dme-renew.xml \
	hooks/windows/acme-dme.yaml.example \
	hooks/windows/import-iis.ps1

# What acme-dme runs with a new certificate.
nobase_dist_pkgdata_SCRIPTS = \
	hooks/deploy/apache \
	hooks/deploy/copy \
	hooks/deploy/haproxy \
	hooks/deploy/nginx \
	hooks/deploy/postfix-dovecot

# The sources name the paths of a package; installed copies, and the man pages, name those of this installation.  What
# lives in a container of its own keeps its paths.
install-data-hook:
	@for file in $(nobase_dist_pkgdata_DATA:%='$(DESTDIR)$(pkgdatadir)/%') \
		$(nobase_dist_pkgdata_SCRIPTS:%='$(DESTDIR)$(pkgdatadir)/%') \
		'$(DESTDIR)$(man1dir)/acme-dme.1' '$(DESTDIR)$(man5dir)/acme-dme.yaml.5' '$(DESTDIR)$(man7dir)/acme-dme-hooks.7'; do \
		test -f "$$file" || continue; \
		case $$file in */hooks/traefik/*) continue ;; esac; \
		$(SED) -e 's|/usr/bin/acme-dme|$(bindir)/acme-dme|g' -e 's|/etc/acme-dme|$(sysconfdir)/acme-dme|g' \
			-e 's|/var/lib/acme-dme|$(localstatedir)/lib/acme-dme|g' -e 's|/usr/share/acme-dme|$(pkgdatadir)|g' "$$file" >"$$file.tmp" && \
		cat "$$file.tmp" >"$$file" && rm -f "$$file.tmp" || exit 1; \
	done
