# Unit tests: one cmocka program for each source file under test, tests/unit/test_<module>_<file>.c.
if HAVE_CMOCKA
UNIT_TESTS = \
	tests/unit/test_util_text
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
AM_CPPFLAGS += -I$(top_srcdir)/tests/unit
AM_CFLAGS += $(CMOCKA_CFLAGS)
LDADD += $(CMOCKA_LIBS)
