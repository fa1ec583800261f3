# The one list of sources, by layer.  Everything but main.c is in a library so that tests link the same objects.
bin_PROGRAMS += acme-dme
noinst_LIBRARIES += libacmedme.a

acme_dme_SOURCES = src/cmd/main.c
acme_dme_LDADD = $(LATE_LIBS) $(ACME_DME_LIBS)
ACME_DME_LIBS = libacmedme.a $(CURL_LIBS) $(OPENSSL_LIBS) $(YAML_LIBS) $(JANSSON_LIBS) $(CARES_LIBS) $(IDN2_LIBS) \
	$(PLATFORM_LIBS)
LDADD = $(TEST_LIBS) $(ACME_DME_LIBS)

libacmedme_a_SOURCES = \
	src/util/attrs.h \
	src/util/err.c src/util/err.h \
	src/util/text.c src/util/text.h \
	src/util/strmap.c src/util/strmap.h \
	src/util/mem.c src/util/mem.h \
	src/util/buf.c src/util/buf.h \
	src/util/secret.c src/util/secret.h \
	src/util/parse.c src/util/parse.h \
	src/util/clock.c src/util/clock.h \
	src/util/log.c src/util/log.h \
	src/platform/platform.h src/platform/socket.h \
	src/platform/program_watch.c src/platform/program_watch.h \
	src/platform/glob.c src/platform/glob.h \
	src/json/json.c src/json/json.h \
	src/crypto/b64url.c src/crypto/b64url.h \
	src/crypto/digest.c src/crypto/digest.h \
	src/crypto/verify.c src/crypto/verify.h \
	src/crypto/cert.c src/crypto/cert.h src/crypto/x509.h \
	src/crypto/trust.c src/crypto/trust.h \
	src/crypto/peer.c \
	src/crypto/dnskey.c src/crypto/dnskey.h \
	src/crypto/san.c src/crypto/san.h \
	src/crypto/chain.c src/crypto/chain.h src/crypto/chain_ossl.h \
	src/crypto/chain_check.c \
	src/crypto/csr.c src/crypto/csr.h \
	src/crypto/pfx.c src/crypto/pfx.h \
	src/crypto/random.c src/crypto/random.h \
	src/crypto/ossl.c src/crypto/ossl.h \
	src/crypto/key.c src/crypto/key.h src/crypto/key_ossl.h \
	src/crypto/key_parse.c src/crypto/key_jose.c \
	src/http/http.c src/http/http.h \
	src/http/trace.c \
	src/http/curl.c \
	src/http/curl_trust.c src/http/curl_trust.h \
	src/http/tls_error.c \
	src/http/curl_error.c src/http/curl_error.h \
	src/store/store.h src/store/certs.h src/store/internal.h \
	src/store/store.c \
	src/store/codec.c \
	src/store/checksum.c \
	src/store/damage.c \
	src/store/examine.c \
	src/store/reset.c \
	src/store/journal.c \
	src/store/deferred.c \
	src/store/zonememo.c \
	src/store/budget.c src/store/budget.h \
	src/store/result.c \
	src/store/record.c \
	src/store/keyfile.c \
	src/store/account.c \
	src/store/certificate.c \
	src/store/order.c \
	src/store/generation.c \
	src/store/archive.c \
	src/config/config.c src/config/config.h \
	src/config/schema.c src/config/schema.h \
	src/config/report.c src/config/report.h \
	src/config/input.c src/config/input.h \
	src/config/yaml.c src/config/yaml.h \
	src/config/yaml_tree.c src/config/yaml_tree.h \
	src/config/address.c src/config/address.h \
	src/config/value.c src/config/value.h src/config/loading.h \
	src/config/value_certificate.c \
	src/config/command.c \
	src/config/field.c \
	src/config/ca.c src/config/ca.h \
	src/config/collect.c \
	src/config/clean.c src/config/clean.h \
	src/config/eab.c \
	src/config/certificate.c \
	src/config/settings.c \
	src/config/find.c \
	src/config/walk.c \
	src/config/overlay.c \
	src/config/origin.c \
	src/config/format.c \
	src/config/exposure.c \
	src/config/credential.c src/config/credential.h \
	src/config/hidden.c \
	src/config/ca_file.c \
	src/config/draft.c src/config/draft.h \
	src/config/account.c \
	src/dns/name.c src/dns/name.h \
	src/dns/wire.c src/dns/wire.h \
	src/dns/cares.c src/dns/cares.h \
	src/dns/cares_query.c src/dns/cares_query.h \
	src/dns/resolver.c src/dns/resolver.h \
	src/dns/route.c src/dns/route.h \
	src/dns/direct.c src/dns/doh.c \
	src/dns/trace.c src/dns/trace.h \
	src/dns/authority.c src/dns/authority.h \
	src/dns/authority_look.c \
	src/dns/sighting.c src/dns/sighting.h \
	src/dns/watch.c src/dns/watch.h \
	src/dns/watch_each.c src/dns/watch_report.c \
	src/dns/pace.c src/dns/pace.h \
	src/dns/propagation.c src/dns/propagation.h \
	src/dns/propagation_doh.c \
	src/dns/caa.c src/dns/caa.h \
	src/dns/caa_value.c src/dns/caa_value.h \
	src/dns/rrset.c src/dns/rrset.h \
	src/dns/dnssec.c src/dns/dnssec.h \
	src/dns/dnssec_server.c src/dns/dnssec_server.h \
	src/dns/delegation.c src/dns/delegation.h \
	src/dns/census.c src/dns/census.h \
	src/dns/serving.c src/dns/standing.c \
	src/dme/dme.h \
	src/dme/client.c src/dme/client.h \
	src/dme/send.c \
	src/dme/judge.c src/dme/judge.h \
	src/dme/limit.c src/dme/limit.h \
	src/dme/budget.c src/dme/budget.h \
	src/dme/retry.c src/dme/retry.h \
	src/dme/auth.c src/dme/auth.h \
	src/dme/error.c src/dme/error.h \
	src/dme/refusal.c src/dme/refusal.h \
	src/dme/answer.c src/dme/answer.h \
	src/dme/zone.c \
	src/dme/probe.c \
	src/dme/credentials.c \
	src/dme/record.c src/dme/record.h \
	src/dme/create.c \
	src/dme/delete.c \
	src/acme/acme.h src/acme/internal.h \
	src/acme/problem.c src/acme/problem.h \
	src/acme/member.c \
	src/acme/retry_after.c \
	src/acme/link.c \
	src/acme/answer.c \
	src/acme/nonce.c \
	src/acme/jws.c \
	src/acme/directory.c \
	src/acme/session.c \
	src/acme/request.c \
	src/acme/send.c \
	src/acme/account.c \
	src/acme/order.c \
	src/acme/new_order.c \
	src/acme/finalize.c \
	src/acme/settle.c \
	src/acme/authz.c \
	src/acme/call.c \
	src/acme/challenge.c \
	src/acme/certificate.c \
	src/acme/revoke.c \
	src/acme/ari.c \
	src/import/import.c src/import/import.h src/import/internal.h \
	src/import/find.c src/import/files.c src/import/values.c src/import/jwk.c \
	src/import/settings.c src/import/settings.h \
	src/import/certbot.c src/import/lego.c src/import/acme_sh.c src/import/dehydrated.c src/import/uacme.c \
	src/hook/hook.c src/hook/hook.h \
	src/hook/contract.c src/hook/contract.h \
	src/hook/value.c src/hook/value.h \
	src/hook/certbot.c \
	src/flow/challenge.c src/flow/challenge.h \
	src/flow/engine.h \
	src/flow/set.c \
	src/flow/batch.c \
	src/flow/group.c \
	src/flow/zones.c \
	src/flow/propose.c \
	src/flow/locate.c \
	src/flow/survey.c src/flow/survey.h \
	src/flow/servers.c \
	src/flow/place.c \
	src/flow/await.c src/flow/awaiting.c \
	src/flow/budget.c src/flow/budget.h \
	src/flow/journal.c \
	src/flow/publish.c \
	src/flow/undo.c \
	src/flow/remove.c \
	src/flow/withdraw.c \
	src/flow/deferral.c src/flow/deferral.h \
	src/flow/sweep.c \
	src/flow/issue.c src/flow/issue.h \
	src/flow/wave.h \
	src/flow/names.c \
	src/flow/order.c \
	src/flow/prove.c src/flow/records.c \
	src/flow/obtain.c \
	src/flow/account.c src/flow/account.h \
	src/flow/renewal.c src/flow/renewal.h \
	src/flow/install.c src/flow/install.h \
	src/flow/program.c src/flow/program.h \
	src/check/check.h src/check/report.h src/check/report.c \
	src/check/internal.h \
	src/check/check.c \
	src/check/state.c \
	src/check/accounts.c \
	src/check/zone.c \
	src/check/serving.c \
	src/check/name.c \
	src/check/policy.c \
	src/check/domain.c \
	src/check/write.c \
	src/cmd/check.c \
	src/monitor/report.c src/monitor/report.h \
	src/monitor/judge.c src/monitor/judge.h \
	src/monitor/look.c src/monitor/look.h \
	src/monitor/servers.c \
	src/monitor/format.h \
	src/monitor/table.c \
	src/monitor/json.c \
	src/monitor/prometheus.c \
	src/monitor/nagios.c \
	src/cmd/cmd.c src/cmd/cmd.h \
	src/cmd/opts.c src/cmd/opts.h \
	src/cmd/exit.c src/cmd/exit.h \
	src/cmd/app.c src/cmd/app.h \
	src/cmd/logging.c src/cmd/logging.h \
	src/cmd/progress.c src/cmd/progress.h \
	src/cmd/hook.c \
	src/cmd/hook_report.c src/cmd/hook_report.h \
	src/cmd/client.c src/cmd/client.h \
	src/cmd/workspace.c src/cmd/workspace.h \
	src/cmd/plan.c src/cmd/plan.h \
	src/cmd/keep.c src/cmd/keep.h \
	src/cmd/issuance.c src/cmd/issuance.h \
	src/cmd/deploy.c src/cmd/deploy.h \
	src/cmd/due.c src/cmd/due.h \
	src/cmd/quota.c src/cmd/quota.h \
	src/cmd/issuance_report.c \
	src/cmd/document.c \
	src/cmd/issue.c \
	src/cmd/renew.c \
	src/cmd/revoke.c \
	src/cmd/account.c \
	src/cmd/certificates.c \
	src/cmd/sweep.c src/cmd/sweep.h \
	src/cmd/status.c \
	src/cmd/reset.c \
	src/cmd/help.c

# What differs between operating systems, behind platform.h; that of the others is in the tarball, too.
POSIX_SOURCES = src/platform/posix.h \
	src/platform/posix_advice.c \
	src/platform/posix_clock.c \
	src/platform/posix_dir.c \
	src/platform/posix_file.c \
	src/platform/posix_io.c \
	src/platform/posix_glob.c \
	src/platform/posix_lock.c \
	src/platform/posix_owner.c \
	src/platform/posix_path.c \
	src/platform/posix_place.c \
	src/platform/posix_log.c \
	src/platform/posix_lookup.c \
	src/platform/posix_process.c \
	src/platform/posix_program.c \
	src/platform/posix_program_start.c \
	src/platform/posix_run.c \
	src/platform/posix_socket.c \
	src/platform/posix_tree.c \
	src/platform/posix_trust.c \
	src/platform/posix_write.c
WINDOWS_SOURCES = src/platform/win32.h \
	src/platform/win32_advice.c \
	src/platform/win32_clock.c \
	src/platform/win32_command.c \
	src/platform/win32_connect.c \
	src/platform/win32_console.c \
	src/platform/win32_dir.c \
	src/platform/win32_error.c \
	src/platform/win32_file.c \
	src/platform/win32_glob.c \
	src/platform/win32_guard.c \
	src/platform/win32_link.c src/platform/win32_link.h \
	src/platform/win32_link_find.c \
	src/platform/win32_link_make.c \
	src/platform/win32_lock.c \
	src/platform/win32_log.c \
	src/platform/win32_lookup.c \
	src/platform/win32_path.c \
	src/platform/win32_place.c \
	src/platform/win32_process.c \
	src/platform/win32_processes.c \
	src/platform/win32_program.c \
	src/platform/win32_program_start.c \
	src/platform/win32_run.c \
	src/platform/win32_security.c \
	src/platform/win32_socket.c \
	src/platform/win32_start.c \
	src/platform/win32_text.c \
	src/platform/win32_tree.c \
	src/platform/win32_trust.c \
	src/platform/win32_write.c
WINDOWS_RESOURCES = src/platform/win32.rc.in src/platform/win32.manifest
WINDOWS_LATE_DEFS = src/platform/crypt32.def src/platform/normaliz.def src/platform/ole32.def src/platform/shell32.def \
	src/platform/user32.def src/platform/userenv.def
EXTRA_DIST += $(WINDOWS_RESOURCES) $(WINDOWS_LATE_DEFS)
if WINDOWS
acme_dme_LDADD += src/platform/win32.res
CLEANFILES += src/platform/win32.res

# System libraries that are loaded when the first of their functions is called, if ever: most bring user32 along, which
# takes as long to start as all the rest, and a process that has it is not told by Windows of a shutdown.  As wholes and
# before the static libraries, so that what those need of them is found here first.
WINDOWS_LATE = $(WINDOWS_LATE_DEFS:.def=-late.a)
LATE_LIBS = $(WHOLE_ARCHIVE) $(WINDOWS_LATE) $(NO_WHOLE_ARCHIVE)
EXTRA_acme_dme_DEPENDENCIES = $(WINDOWS_LATE)
CLEANFILES += $(WINDOWS_LATE)
%-late.a: %.def
	$(AM_V_GEN)$(MKDIR_P) src/platform && $(DLLTOOL) --input-def $< --output-delaylib $@

src/platform/win32.res: src/platform/win32.rc $(srcdir)/src/platform/win32.manifest
	$(AM_V_GEN)$(WINDRES) -O coff -I $(srcdir)/src/platform -i src/platform/win32.rc -o $@
libacmedme_a_SOURCES += $(WINDOWS_SOURCES)
EXTRA_DIST += $(POSIX_SOURCES)
else
libacmedme_a_SOURCES += $(POSIX_SOURCES)
EXTRA_DIST += $(WINDOWS_SOURCES)
endif
