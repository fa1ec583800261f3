# ACME_DME_FLAGS
# Warnings, hardening, sanitizers, fuzzers and coverage.  Every flag is probed with -Werror, so that an older compiler
# simply lacks it; results are WARN_CFLAGS, HARD_CFLAGS, HARD_LDFLAGS, SAN_CFLAGS, FUZZ_LDFLAGS, COV_CFLAGS.

AC_DEFUN([ACME_DME_TRY_CFLAG], [
    AC_MSG_CHECKING([whether $CC takes $2])
    acme_dme_saved="$CFLAGS"
    CFLAGS="$CFLAGS -Werror $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[return puts("x") < 0;]])],
        [AC_MSG_RESULT([yes])
         $1="$$1 $2"], [AC_MSG_RESULT([no])])
    CFLAGS="$acme_dme_saved"
])

AC_DEFUN([ACME_DME_TRY_LDFLAG], [
    AC_MSG_CHECKING([whether $CC links with $2])
    acme_dme_saved="$LDFLAGS"
    LDFLAGS="$LDFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])], [AC_MSG_RESULT([yes])
         $1="$$1 $2"], [AC_MSG_RESULT([no])])
    LDFLAGS="$acme_dme_saved"
])

AC_DEFUN([ACME_DME_FLAGS], [
    AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [turn compiler warnings into errors])], [], [enable_werror=no])
    AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [leave out hardening flags])], [], [enable_hardening=yes])
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@], [build with sanitizers (default LIST: address,undefined)])],
        [AS_IF([test "x$enableval" = xyes], [enable_sanitizers=address,undefined])], [enable_sanitizers=no])
    AC_ARG_ENABLE([fuzzers],
        [AS_HELP_STRING([--enable-fuzzers], [build the fuzz targets with libFuzzer (clang); without it they only replay their corpora])],
        [], [enable_fuzzers=no])
    AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [build for gcov])], [], [enable_coverage=no])

    WARN_CFLAGS=
    m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
        -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wformat-signedness
        -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -Wlogical-op -Wduplicated-cond -Wduplicated-branches
        -Walloc-zero -Wno-missing-field-initializers], [ACME_DME_TRY_CFLAG([WARN_CFLAGS], flag)])
    AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])

    SAN_CFLAGS=
    AS_IF([test "x$enable_sanitizers" != xno],
        [SAN_CFLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all -g"])
    FUZZ_CFLAGS=
    FUZZ_LDFLAGS=
    AS_IF([test "x$enable_fuzzers" = xyes],
        [FUZZ_CFLAGS="-fsanitize=fuzzer-no-link"
         FUZZ_LDFLAGS="-fsanitize=fuzzer"
         SAN_CFLAGS="$SAN_CFLAGS $FUZZ_CFLAGS"])
    AM_CONDITIONAL([WITH_FUZZERS], [test "x$enable_fuzzers" = xyes])
    COV_CFLAGS=
    AS_IF([test "x$enable_coverage" = xyes], [COV_CFLAGS="--coverage -O0"])

    HARD_CFLAGS=
    HARD_LDFLAGS=
    AS_IF([test "x$enable_hardening" = xyes], [
        m4_foreach_w([flag], [-fstack-protector-strong -ftrivial-auto-var-init=zero -fno-common],
            [ACME_DME_TRY_CFLAG([HARD_CFLAGS], flag)])
        # Windows' programs are position independent and probe their stacks anyway.
        AS_IF([test "x$windows" != xyes], [m4_foreach_w([flag], [-fstack-clash-protection -fcf-protection -fPIE],
            [ACME_DME_TRY_CFLAG([HARD_CFLAGS], flag)])])
        AS_CASE(["$CPPFLAGS $CFLAGS"], [*_FORTIFY_SOURCE*|*-O0*], [],
            [AS_IF([test "x$enable_sanitizers" = xno && test "x$enable_coverage" = xno],
                [ACME_DME_TRY_CFLAG([HARD_CFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -O2])
                 AS_CASE(["$HARD_CFLAGS"], [*_FORTIFY_SOURCE*], [],
                     [ACME_DME_TRY_CFLAG([HARD_CFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -O2])])])])
        # One quoted word a call: a list's commas would end the argument.
        AS_IF([test "x$windows" = xyes], [
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,--dynamicbase])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,--nxcompat])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,--high-entropy-va])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,--gc-sections])
        ], [
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-pie])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,-z,relro])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,-z,now])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,-z,noexecstack])
            ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,-z,separate-code])
        ])
    ])
    # Unused libraries cost every start of the program milliseconds.
    ACME_DME_TRY_LDFLAG([HARD_LDFLAGS], [-Wl,--as-needed])

    AC_SUBST([WARN_CFLAGS])
    AC_SUBST([SAN_CFLAGS])
    AC_SUBST([FUZZ_LDFLAGS])
    AC_SUBST([COV_CFLAGS])
    AC_SUBST([HARD_CFLAGS])
    AC_SUBST([HARD_LDFLAGS])
])
