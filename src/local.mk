# The one list of sources, by layer.  Everything but main.c is in a library so that tests link the same objects.
bin_PROGRAMS += acme-dme
noinst_LIBRARIES += libacmedme.a

acme_dme_SOURCES = src/cmd/main.c
acme_dme_LDADD = $(ACME_DME_LIBS)
ACME_DME_LIBS = libacmedme.a $(CURL_LIBS) $(OPENSSL_LIBS) $(YAML_LIBS) $(JANSSON_LIBS) $(CARES_LIBS) $(IDN2_LIBS)
LDADD = $(TEST_LIBS) $(ACME_DME_LIBS)

libacmedme_a_SOURCES = \
	src/util/attrs.h \
	src/util/err.c src/util/err.h \
	src/util/text.c src/util/text.h \
	src/util/mem.c src/util/mem.h \
	src/util/buf.c src/util/buf.h \
	src/util/secret.c src/util/secret.h \
	src/util/parse.c src/util/parse.h \
	src/util/clock.c src/util/clock.h \
	src/util/log.c src/util/log.h \
	src/platform/platform.h src/platform/posix.h \
	src/platform/posix_clock.c \
	src/platform/posix_dir.c \
	src/platform/posix_file.c \
	src/platform/posix_io.c \
	src/platform/posix_lock.c \
	src/platform/posix_process.c \
	src/platform/posix_run.c \
	src/json/json.c src/json/json.h \
	src/crypto/b64url.c src/crypto/b64url.h \
	src/crypto/digest.c src/crypto/digest.h \
	src/http/http.c src/http/http.h \
	src/http/trace.c \
	src/config/schema.h src/config/config.h \
	src/store/store.h src/store/internal.h \
	src/store/store.c \
	src/store/codec.c \
	src/store/journal.c \
	src/store/zonememo.c \
	src/dns/resolver.h \
	src/dns/name.h \
	src/dns/authority.h \
	src/dns/propagation.h \
	src/dme/dme.h \
	src/cmd/cmd.h
