# Unit tests: one cmocka program for each source file under test, tests/unit/test_<module>_<file>.c.
if HAVE_CMOCKA
UNIT_TESTS = \
	tests/unit/test_util_buf \
	tests/unit/test_util_clock \
	tests/unit/test_util_err \
	tests/unit/test_util_log \
	tests/unit/test_util_parse \
	tests/unit/test_util_text \
	tests/unit/test_util_strmap \
	tests/unit/test_hook \
	tests/unit/test_json_json \
	tests/unit/test_crypto_cert \
	tests/unit/test_crypto_chain \
	tests/unit/test_crypto_csr \
	tests/unit/test_crypto_digest \
	tests/unit/test_crypto_dnskey \
	tests/unit/test_crypto_jose \
	tests/unit/test_crypto_key \
	tests/unit/test_crypto_peer \
	tests/unit/test_crypto_pfx \
	tests/unit/test_crypto_trust \
	tests/unit/test_http_http \
	tests/unit/test_http_trace \
	tests/unit/test_dns_authority \
	tests/unit/test_dns_authority_many \
	tests/unit/test_dns_delegation \
	tests/unit/test_dns_direct \
	tests/unit/test_dns_doh \
	tests/unit/test_dns_name \
	tests/unit/test_dns_propagation \
	tests/unit/test_dns_trace \
	tests/unit/test_dns_propagation_doh \
	tests/unit/test_dns_propagation_each \
	tests/unit/test_dns_route \
	tests/unit/test_dns_serving \
	tests/unit/test_dns_sighted \
	tests/unit/test_dns_standing \
	tests/unit/test_dns_wire \
	tests/unit/test_dns_caa \
	tests/unit/test_dns_dnssec \
	tests/unit/test_dns_dnssec_server \
	tests/unit/test_dns_rrset \
	tests/unit/test_http_curl \
	tests/unit/test_http_tls \
	tests/unit/test_monitor_format \
	tests/unit/test_monitor_judge \
	tests/unit/test_monitor_look \
	tests/unit/test_platform_file \
	tests/unit/test_platform_dir \
	tests/unit/test_platform_glob \
	tests/unit/test_platform_lock \
	tests/unit/test_platform_path \
	tests/unit/test_platform_log \
	tests/unit/test_platform_tree \
	tests/unit/test_store_store \
	tests/unit/test_store_journal \
	tests/unit/test_store_deferred \
	tests/unit/test_store_zonememo \
	tests/unit/test_store_result \
	tests/unit/test_store_damage \
	tests/unit/test_store_reset \
	tests/unit/test_store_account \
	tests/unit/test_store_certificate \
	tests/unit/test_store_generation \
	tests/unit/test_store_order \
	tests/unit/test_store_many \
	tests/unit/test_store_budget \
	tests/unit/test_dme_retry \
	tests/unit/test_dme_limit \
	tests/unit/test_dme_budget \
	tests/unit/test_dme_batch \
	tests/unit/test_dme_error \
	tests/unit/test_dme_answer \
	tests/unit/test_dme_auth \
	tests/unit/test_dme_credentials \
	tests/unit/test_dme_client \
	tests/unit/test_dme_zone \
	tests/unit/test_dme_record \
	tests/unit/test_dme_create
UNIT_TESTS += \
	tests/unit/test_cmd_opts \
	tests/unit/test_config_account \
	tests/unit/test_config_acme \
	tests/unit/test_config_address \
	tests/unit/test_config_certificates \
	tests/unit/test_config_credential \
	tests/unit/test_config_load \
	tests/unit/test_config_schema \
	tests/unit/test_config_value \
	tests/unit/test_config_yaml
UNIT_TESTS += \
	tests/unit/test_flow_set \
	tests/unit/test_flow_publish \
	tests/unit/test_flow_outcomes \
	tests/unit/test_flow_locate \
	tests/unit/test_flow_place \
	tests/unit/test_flow_withdraw \
	tests/unit/test_flow_await \
	tests/unit/test_flow_budget \
	tests/unit/test_flow_awaiting \
	tests/unit/test_flow_sweep \
	tests/unit/test_flow_deferral \
	tests/unit/test_flow_faults \
	tests/unit/test_flow_account \
	tests/unit/test_flow_install \
	tests/unit/test_flow_issue \
	tests/unit/test_flow_obtain \
	tests/unit/test_flow_order \
	tests/unit/test_flow_program \
	tests/unit/test_flow_prove \
	tests/unit/test_flow_wave \
	tests/unit/test_flow_names \
	tests/unit/test_flow_renewal
UNIT_TESTS += \
	tests/unit/test_check_report \
	tests/unit/test_check_accounts \
	tests/unit/test_check_domain \
	tests/unit/test_check_dnssec
UNIT_TESTS += \
	tests/unit/test_import_settings \
	tests/unit/test_import_account \
	tests/unit/test_import_certificate
UNIT_TESTS += \
	tests/unit/test_acme_account \
	tests/unit/test_acme_challenge \
	tests/unit/test_acme_faults \
	tests/unit/test_acme_headers \
	tests/unit/test_acme_jws \
	tests/unit/test_acme_order \
	tests/unit/test_acme_problem \
	tests/unit/test_acme_renewal \
	tests/unit/test_acme_send \
	tests/unit/test_acme_session \
	tests/unit/test_acme_settle
# What POSIX alone has, and what Windows has in its place; both are in the tarball.
POSIX_TESTS = \
	tests/unit/test_platform_process \
	tests/unit/test_platform_clock \
	tests/unit/test_platform_run \
	tests/unit/test_platform_lookup \
	tests/unit/test_platform_program
WINDOWS_TESTS = \
	tests/unit/test_win32_text \
	tests/unit/test_win32_files \
	tests/unit/test_win32_write \
	tests/unit/test_win32_tree \
	tests/unit/test_win32_link \
	tests/unit/test_win32_lock \
	tests/unit/test_win32_log \
	tests/unit/test_win32_console \
	tests/unit/test_win32_lookup \
	tests/unit/test_win32_process \
	tests/unit/test_win32_program \
	tests/unit/test_win32_run \
	tests/unit/test_win32_socket
POSIX_FIXTURES = tests/unit/fixture_posix.c tests/unit/fixture_faults.c tests/unit/server_fixture_posix.c
WINDOWS_FIXTURES = tests/unit/fixture_win32.c tests/unit/fixture_win32_process.c tests/unit/server_fixture_win32.c
if WINDOWS
UNIT_TESTS += $(WINDOWS_TESTS)
FIXTURE_SOURCES = $(WINDOWS_FIXTURES)
EXTRA_DIST += $(POSIX_FIXTURES) $(POSIX_TESTS:=.c)
else
UNIT_TESTS += $(POSIX_TESTS)
FIXTURE_SOURCES = $(POSIX_FIXTURES)
EXTRA_DIST += $(WINDOWS_FIXTURES) $(WINDOWS_TESTS:=.c) tests/unit/win32_faults.c tests/unit/win32_faults.h
endif
tests_unit_test_win32_write_SOURCES = tests/unit/test_win32_write.c tests/unit/win32_faults.c tests/unit/win32_faults.h
tests_unit_test_win32_tree_SOURCES = tests/unit/test_win32_tree.c tests/unit/win32_faults.c tests/unit/win32_faults.h
tests_unit_test_win32_lock_SOURCES = tests/unit/test_win32_lock.c tests/unit/win32_faults.c tests/unit/win32_faults.h
tests_unit_test_win32_log_SOURCES = tests/unit/test_win32_log.c tests/unit/win32_faults.c tests/unit/win32_faults.h
tests_unit_test_win32_link_SOURCES = tests/unit/test_win32_link.c tests/unit/win32_faults.c tests/unit/win32_faults.h
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
# Fakes that several tests share.
check_LIBRARIES += tests/unit/libfakes.a
tests_unit_libfakes_a_SOURCES = \
	tests/unit/test.h \
	tests/unit/fixture.c tests/unit/fixture.h $(FIXTURE_SOURCES) \
	tests/unit/server_fixture.c tests/unit/server_fixture.h tests/unit/server_fixture_parts.h \
	tests/unit/store_place.c tests/unit/store_place.h \
	tests/unit/import_place.c tests/unit/import_place.h \
	tests/unit/cert_fixture.c tests/unit/cert_fixture.h \
	tests/unit/config_fixture.c tests/unit/config_fixture.h \
	tests/unit/fake_clock.c tests/unit/fake_clock.h \
	tests/unit/fake_http.c tests/unit/fake_http.h \
	tests/unit/dme_fixture.c tests/unit/dme_fixture.h \
	tests/unit/fake_dns.c tests/unit/fake_dns.h \
	tests/unit/dns_script.c tests/unit/dns_script.h \
	tests/unit/dns_message.c tests/unit/dns_message.h \
	tests/unit/dns_responder.c tests/unit/dns_responder.h \
	tests/unit/dnssec_fixture.c tests/unit/dnssec_fixture.h \
	tests/unit/dnssec_signer.c tests/unit/dnssec_signer.h \
	tests/unit/dnssec_vectors.c tests/unit/dnssec_vectors.h \
	tests/unit/fake_api.c tests/unit/fake_api_store.c tests/unit/fake_api.h \
	tests/unit/fake_ca.c tests/unit/fake_ca_accounts.c tests/unit/fake_ca_jws.c tests/unit/fake_ca_orders.c \
	tests/unit/fake_ca_rules.c tests/unit/fake_ca.h tests/unit/fake_ca_parts.h \
	tests/unit/acme_fixture.c tests/unit/acme_fixture.h \
	tests/unit/fake_resolver.c tests/unit/fake_resolver.h \
	tests/unit/flow_world.c tests/unit/flow_world.h \
	tests/unit/issue_world.c tests/unit/issue_world.h
TEST_LIBS = tests/unit/libfakes.a
# What is found out of DNSSEC is the test's word.
tests_unit_test_check_dnssec_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=dnssec_examine
# Writes go through a disk that fails on demand.
FAKE_DISK_WRAP = -Wl,--wrap=platform_files_write,--wrap=platform_file_remove \
	-Wl,--wrap=platform_file_replace,--wrap=platform_file_create
tests_unit_test_flow_outcomes_SOURCES = tests/unit/test_flow_outcomes.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_flow_outcomes_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_flow_faults_SOURCES = tests/unit/test_flow_faults.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_flow_faults_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_flow_account_SOURCES = tests/unit/test_flow_account.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_flow_account_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_flow_issue_SOURCES = tests/unit/test_flow_issue.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_flow_issue_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_store_account_SOURCES = tests/unit/test_store_account.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_store_account_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_store_many_SOURCES = tests/unit/test_store_many.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_store_many_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_store_deferred_SOURCES = tests/unit/test_store_deferred.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_store_deferred_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
tests_unit_test_store_order_SOURCES = tests/unit/test_store_order.c tests/unit/fake_disk.c tests/unit/fake_disk.h
tests_unit_test_store_order_LDFLAGS = $(AM_LDFLAGS) $(FAKE_DISK_WRAP)
# A name service that hangs on demand.
tests_unit_test_platform_lookup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getaddrinfo
tests_unit_test_win32_lookup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=__imp_GetAddrInfoW
# Wine knows no Ctrl-Break.
tests_unit_test_win32_program_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=__imp_GenerateConsoleCtrlEvent
endif
AM_CPPFLAGS += -I$(top_srcdir)/tests/unit
AM_CFLAGS += $(CMOCKA_CFLAGS)
LDADD += $(CMOCKA_LIBS)
EXTRA_DIST += tests/unit/dnssec_vectors.py
