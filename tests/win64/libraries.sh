#!/bin/sh
# Builds the static libraries of the Windows program from the sources that sources.sh fetched.
#
#     tests/win64/libraries.sh SOURCES PREFIX [NAME]        absolute names; logs go to PREFIX.work/, which is removed when all is well
#
# OpenSSL with what needs it and the others are built side by side, for two cores. What was interrupted goes on with the library that was not complete; SOURCES
# and this file must be the same then. PREFIX/licenses/ has the terms of each.
set -eu

sources=$1
prefix=$2
here=$(cd "$(dirname "$0")" && pwd)
target=x86_64-w64-mingw32
work=$prefix.work
jobs=${JOBS:-$(nproc)}
# Small and without debugging information; what is not used is left out when linking.
# All of <windows.h> takes a second to read, for each of some hundred things that CMake looks for.
flags="-O2 -g0 -ffunction-sections -fdata-sections -fstack-protector-strong -D_WIN32_WINNT=0x0A00 -DWIN32_LEAN_AND_MEAN"

export PKG_CONFIG_LIBDIR="$prefix/lib/pkgconfig"
export LC_ALL=C
# OpenSSL says when it was built.
export SOURCE_DATE_EPOCH=1577836800

# unpack PACKAGE: its sources, with the distribution's patches, in $work/PACKAGE.
unpack() {
    rm -rf "${work:?}/$1"
    if [ -e "$(echo "$sources/files/$1"_*.dsc)" ]; then
        # apt has checked the files; the signature in the .dsc is that of a person.
        dpkg-source --no-check --no-copy -x "$sources/files/$1"_*.dsc "$work/$1"
    else
        mkdir "$work/$1"
        tar -xf "$sources/files/$1"_*.orig.tar.* -C "$work/$1" --strip-components=1
    fi
    mkdir -p "$prefix/licenses"
    for terms in debian/copyright LICENSE.txt LICENSE COPYING; do
        if [ -e "$work/$1/$terms" ]; then
            cp "$work/$1/$terms" "$prefix/licenses/$1.txt"
            break
        fi
    done
}

# cmake_build PACKAGE OPTIONS...: CMake compiles by absolute names, which curl's messages would have.
cmake_build() {
    package=$1
    shift
    # Ninja, as what CMake looks for takes longer than what it compiles, and make as long again.
    cmake -G Ninja -S "$work/$package" -B "$work/$package/build" -DCMAKE_TOOLCHAIN_FILE="$here/toolchain.cmake" -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_FLAGS="$flags -ffile-prefix-map=$work=. ${extra:-}" -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_FIND_ROOT_PATH="$prefix" \
        -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF "$@"
    cmake --build "$work/$package/build" -j "$jobs" --target install
}

# pkg_config NAME VERSION DESCRIPTION LIBS [PRIVATE-LIBS REQUIRED...]: for libraries that install no such file, or one that names too much.
pkg_config() {
    cat >"$prefix/lib/pkgconfig/$1.pc" <<END
prefix=$prefix
Name: $1
Description: $3
Version: $2
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib $4
Libs.private: ${5:-}
Requires.private: ${6:-}
END
}

upstream() { sed -n "s/^$1 \([0-9]*:\)\{0,1\}\([0-9.]*[0-9]\).*/\2/p" "$sources/versions"; }

# Random numbers of the system as it gives them today: the older way brings libraries of the desktop along.
build_openssl() {
    common="C:/Program Files/Common Files/SSL"
    cd "$work/openssl"
    # shellcheck disable=SC2086  # words
    ./Configure mingw64 --cross-compile-prefix=$target- --prefix="$prefix" --libdir=lib no-shared no-tests no-module no-dso no-engine no-autoload-config no-comp \
        no-ssl3 no-cms no-ts no-srp no-psk no-dtls no-ct no-aria no-bf no-camellia no-cast no-idea no-mdc2 no-seed no-sm2 no-sm3 no-sm4 \
        no-whirlpool no-ssl-trace -DUSE_BCRYPTGENRANDOM $flags
    # Directories that ordinary users can't make, so that they plant nothing there; Configure takes such a path for a relative one.
    make -j "$jobs" build_libs "OPENSSLDIR=$common" "ENGINESDIR=$common/engines" "MODULESDIR=$common/modules"
    if strings -a libcrypto.a | grep -F "$prefix"; then exit 1; fi
    make install_dev
}

build_zlib() {
    cd "$work/zlib"
    CHOST=$target CC=$target-gcc AR=$target-ar RANLIB=$target-ranlib CFLAGS="$flags" ./configure --static --prefix="$prefix"
    make -j "$jobs" libz.a
    make install
}

build_libyaml() {
    cmake_build libyaml
    pkg_config yaml-0.1 "$(upstream libyaml)" "YAML parser" -lyaml
}

build_jansson() {
    cmake_build jansson -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF
}

build_c_ares() {
    # Debian's patch for CVE-2023-31130 uses a constant that Windows' headers lack.
    extra=-DINADDRSZ=4 cmake_build c-ares -DCARES_STATIC=ON -DCARES_SHARED=OFF -DCARES_BUILD_TOOLS=OFF -DCARES_BUILD_TESTS=OFF
}

build_nghttp2() {
    # It asks for a C++ compiler even for the library alone, which is C.
    cmake_build nghttp2 -DENABLE_LIB_ONLY=ON -DENABLE_SHARED_LIB=OFF -DENABLE_STATIC_LIB=ON -DBUILD_STATIC_LIBS=ON \
        -DENABLE_DOC=OFF \
        -DCMAKE_CXX_COMPILER=$target-gcc -DCMAKE_CXX_COMPILER_FORCED=1
    [ ! -e "$prefix/lib/nghttp2.lib" ] || mv "$prefix/lib/nghttp2.lib" "$prefix/lib/libnghttp2.a"
}

build_curl() {
    # The threaded resolver asks Windows itself, as other programs do.
    extra="-DNGHTTP2_STATICLIB" cmake_build curl -DBUILD_CURL_EXE=OFF -DHTTP_ONLY=ON -DENABLE_UNICODE=ON -DCURL_USE_OPENSSL=ON \
        -DCURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG=ON -DUSE_NGHTTP2=ON -DUSE_WIN32_IDN=ON -DENABLE_THREADED_RESOLVER=ON -DENABLE_ARES=OFF \
        -DENABLE_MANUAL=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_LIBIDN2=OFF \
        -DCMAKE_C_STANDARD_LIBRARIES="-lws2_32 -liphlpapi -lcrypt32 -lbcrypt -lnormaliz -ladvapi32 -luser32 -lgdi32 -lkernel32"
    pkg_config libcurl "$(upstream curl)" "HTTP client" -lcurl "-lnormaliz -lws2_32 -lcrypt32 -lbcrypt -ladvapi32" \
        "libssl libcrypto libnghttp2 zlib"
}

build_libidn2() {
    cd "$work/libidn2"
    # With the parts of libunistring that are in its own sources.
    ./configure --host=$target --prefix="$prefix" --enable-static --disable-shared --disable-doc --disable-nls --disable-rpath \
        --disable-valgrind-tests --with-included-libunistring --without-libiconv-prefix CFLAGS="$flags"
    for part in gl unistring lib; do
        [ ! -e $part/Makefile ] || make -C $part -j "$jobs"
    done
    make -C lib install
    make install-pkgconfigDATA
}

build_cmocka() {
    cmake_build cmocka -DBUILD_STATIC_LIB=ON -DWITH_STATIC_LIB=ON -DUNIT_TESTING=OFF
    rm -f "$prefix"/lib/libcmocka.dll.a "$prefix"/bin/cmocka.dll
    [ ! -e "$prefix/lib/libcmocka-static.a" ] || mv "$prefix/lib/libcmocka-static.a" "$prefix/lib/libcmocka.a"
}

# A static program needs to hear of all that curl needs, from curl alone.
check_pkg_config() {
    all=$(pkg-config --static --libs libcurl openssl yaml-0.1 jansson libcares libidn2 cmocka)
    for need in curl nghttp2 ssl crypto z ws2_32 crypt32 yaml jansson cares idn2 cmocka; do
        case " $all " in
            *" -l$need "*) ;;
            *) echo "libraries: pkg-config --static does not name $need: $all"; exit 1 ;;
        esac
    done
}

# lane NAME...: builds one after the other; the first that fails ends it.
lane() {
    for name; do
        [ ! -e "$work/$name.done" ] || continue
        begin=$(date +%s)
        # A process of its own: "set -e" is of no effect within a condition.
        if "$0" "$sources" "$prefix" "$name" >"$work/$name.log" 2>&1 </dev/null; then
            echo "libraries: $name $(upstream "$name"), $(($(date +%s) - begin)) s"
            touch "$work/$name.done"
        else
            echo "libraries: $name failed; $work/$name.log ends with:"
            tail -n 30 "$work/$name.log" | sed 's/^/    | /'
            return 1
        fi
    done
}

if [ $# -eq 3 ]; then
    unpack "$3"
    "build_$(echo "$3" | tr - _)"
    exit
fi
mkdir -p "$work" "$prefix/lib/pkgconfig" "$prefix/include"
lane zlib
lane openssl nghttp2 curl &
first=$!
status=0
lane c-ares libidn2 cmocka jansson libyaml || status=1
wait "$first" || status=1
[ "$status" -eq 0 ] || exit 1
check_pkg_config
rm -rf "$work"
date >"$prefix/complete"
