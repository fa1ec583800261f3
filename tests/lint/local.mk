# The lints that cost next to nothing are part of `make check`; tests/lint/run has them all.
CHEAP_LINTS = \
	tests/lint/check-layers \
	tests/lint/check-headers \
	tests/lint/check-functions \
	tests/lint/check-banned \
	tests/lint/check-globals \
	tests/lint/check-spdx \
	tests/lint/check-private \
	tests/lint/check-hooks \
	tests/lint/check-man-config \
	tests/lint/check-man-exit \
	tests/lint/check-man-options \
	tests/lint/check-man-steps \
	tests/lint/check-man-verbs
# They look at sources and manuals, not at programs: a build for Windows has nothing to add.
if !WINDOWS
TESTS += $(CHEAP_LINTS)
endif
EXTRA_DIST += $(CHEAP_LINTS) \
	.clang-tidy tests/lint/README.md tests/lint/run tests/lint/common.sh tests/lint/strip.awk tests/lint/banned.awk tests/lint/tidy-one tests/lint/analyzer.h \
	tests/lint/layers.txt tests/lint/headers.txt tests/lint/banned.txt tests/lint/globals.txt tests/lint/cppcheck.txt \
	tests/lint/check-tidy tests/lint/check-cppcheck tests/lint/check-shell tests/lint/check-man

# What check-man-config compares acme-dme.yaml.5 with.
check_PROGRAMS += tests/lint/config_keys
tests_lint_config_keys_SOURCES = tests/lint/config_keys.c
tests_lint_config_keys_LDADD = $(ACME_DME_LIBS)
