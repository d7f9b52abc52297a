# Language, warnings, hardening and sanitizers: one interface target that every room and test links.
option(MIRRORCTL_TESTS "Build the tests and the hub (GitHub simulator)" OFF)
option(MIRRORCTL_WERROR "Treat warnings as errors" OFF)
option(MIRRORCTL_FUZZ "Build the fuzz targets (needs clang)" OFF)
set(MIRRORCTL_SANITIZE "" CACHE STRING "Value of -fsanitize=, empty for none")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported()

add_library(mirrorctl_options INTERFACE)
target_compile_definitions(mirrorctl_options INTERFACE _GNU_SOURCE)
target_include_directories(mirrorctl_options INTERFACE "${PROJECT_SOURCE_DIR}/include")
target_compile_options(mirrorctl_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wformat=2 -Wswitch-enum -Wundef -Wwrite-strings
  $<$<BOOL:${MIRRORCTL_WERROR}>:-Werror>)

# OpenSSF's list, each flag probed: gcc 12 lacks some of it.
function(mirrorctl_try_flag flag)
  string(MAKE_C_IDENTIFIER "HAVE_FLAG${flag}" var)
  check_c_compiler_flag("${flag}" ${var})
  if(${var})
    target_compile_options(mirrorctl_options INTERFACE "${flag}")
  endif()
endfunction()
foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
                      -fno-strict-overflow -fno-delete-null-pointer-checks -ftrivial-auto-var-init=zero
                      -fstrict-flex-arrays=3)
  mirrorctl_try_flag(${flag})
endforeach()
if(MIRRORCTL_SANITIZE)
  target_compile_options(mirrorctl_options INTERFACE
    -fsanitize=${MIRRORCTL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mirrorctl_options INTERFACE -fsanitize=${MIRRORCTL_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(mirrorctl_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
target_link_options(mirrorctl_options INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
# One imported target a dependency, PkgConfig::<NAME>; the rooms name them as VENDOR.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(GIT2 REQUIRED IMPORTED_TARGET libgit2>=1.5)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(CYAML REQUIRED IMPORTED_TARGET libcyaml>=1.3)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
