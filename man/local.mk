dist_man_MANS += \
	man/acme-dme.1 \
	man/acme-dme-hooks.7

# What holds the pages to the program; tests/lint/run finds them by their names.
EXTRA_DIST += \
	tests/lint/check-man-exit \
	tests/lint/check-man-options \
	tests/lint/check-man-verbs
