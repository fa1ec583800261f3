# Fuzz targets: one for each parser of outside bytes, tests/fuzz/fuzz_<name>.c, with its corpus in tests/fuzz/corpus/<name>/.
# `configure --enable-fuzzers CC=clang` links them with libFuzzer; otherwise they are linked with replay.c.  Either way
# `make check` feeds them their corpora.  To hunt:
#     ./configure CC=clang --enable-fuzzers --enable-sanitizers && make check
#     tests/fuzz/fuzz_journal -max_total_time=600 new-corpus tests/fuzz/corpus/journal
FUZZ_TARGETS = tests/fuzz/fuzz_journal tests/fuzz/fuzz_dme_answer tests/fuzz/fuzz_dns_answer tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_text tests/fuzz/fuzz_caa tests/fuzz/fuzz_dnssec tests/fuzz/fuzz_cert \
	tests/fuzz/fuzz_import tests/fuzz/fuzz_chain tests/fuzz/fuzz_key tests/fuzz/fuzz_csr
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/replay-corpora
EXTRA_DIST += tests/fuzz/replay-corpora tests/fuzz/corpus
if WITH_FUZZERS
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/replay.c
endif

tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_journal_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_dme_answer_SOURCES = tests/fuzz/fuzz_dme_answer.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dme_answer_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_dns_answer_SOURCES = tests/fuzz/fuzz_dns_answer.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_answer_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_caa_SOURCES = tests/fuzz/fuzz_caa.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_caa_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_dnssec_SOURCES = tests/fuzz/fuzz_dnssec.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dnssec_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_cert_SOURCES = tests/fuzz/fuzz_cert.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_cert_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_import_SOURCES = tests/fuzz/fuzz_import.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_import_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_chain_SOURCES = tests/fuzz/fuzz_chain.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_chain_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_key_SOURCES = tests/fuzz/fuzz_key.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_key_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_csr_SOURCES = tests/fuzz/fuzz_csr.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_csr_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
