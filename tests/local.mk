include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/lint/local.mk

# Programs of Windows run under wine, which has its prefix in $WINEPREFIX.
EXTRA_DIST += tests/run-test
if WINDOWS
WINE = wine
AM_TESTS_ENVIRONMENT = WINE='$(WINE)'; export WINE; \
	WINEDEBUG=$${WINEDEBUG:--all}; export WINEDEBUG; \
	EXEEXT='$(EXEEXT)'; export EXEEXT;
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/run-test
endif

# What tests/stages ask for.
.PHONY: objects check-units check-programs
objects: $(acme_dme_OBJECTS) $(libacmedme_a_OBJECTS)

check-programs: $(check_PROGRAMS)

check-units:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(UNIT_TESTS)"

EXTRA_DIST += .ci/run tests/all tests/demo tests/setup tests/packages.txt \
	tests/stages/common.sh tests/stages/count-check tests/stages/run-pytest tests/stages/valgrind.supp \
	tests/stages/10-setup tests/stages/20-build tests/stages/30-check tests/stages/40-integration tests/stages/50-valgrind \
	tests/stages/60-lint tests/stages/70-distcheck tests/stages/80-bench \
	tests/windows tests/win64/packages.txt tests/win64/common.sh tests/win64/sources.sh tests/win64/libraries.sh \
	tests/win64/toolchain.cmake tests/win64/zip.sh tests/win64/10-setup tests/win64/20-libraries \
	tests/win64/30-build tests/win64/40-zip tests/win64/45-start tests/win64/50-units tests/win64/60-integration \
	tests/lab/README.md tests/lab/run tests/lab/fetch-newer tests/lab/lexicon-hook \
	tests/bench/run tests/bench/issue tests/bench/scale tests/bench/profile \
	tests/win64/driver.c tests/win64/not-here.txt tests/win64/roots.c tests/win64/start
# Python packages whose files come and go: all there are, but no byte code.
dist-hook:
	for dir in tests/lab tests/lab/acmesim tests/lab/dmesim tests/bench tests/integration; do \
		$(MKDIR_P) "$(distdir)/$$dir" && \
		for file in "$(srcdir)/$$dir"/*.py "$(srcdir)/$$dir"/*.toml "$(srcdir)/$$dir"/*.ini; do \
			test ! -f "$$file" || cp -p "$$file" "$(distdir)/$$dir/" || exit 1; \
		done; \
	done
