# aarch64-linux-gnu.cmake - toolchain file: Debian's cross compiler for 64-bit
# Arm, libraries of the foreign architecture arm64, tests under qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(ENV{PKG_CONFIG_LIBDIR}
  /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
find_program(CMAKE_CROSSCOMPILING_EMULATOR
  NAMES qemu-aarch64 qemu-aarch64-static)
