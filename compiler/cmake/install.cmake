# install.cmake - what `cmake --install` lays down, and the Debian package.
# sigcc finds its parts from its own place: PREFIX/bin, lib, include, share.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir lib/cmake/sigcc)
set(CMAKE_INSTALL_BINDIR bin)
set(lib_dir lib)
set(include_dir include/sigcc)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/sigcc-config.cmake.in
  ${CMAKE_BINARY_DIR}/sigcc-config.cmake
  INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_BINDIR lib_dir include_dir)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sigcc-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
foreach(pc sigccrt sigma)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${pc}.pc.in
    ${CMAKE_BINARY_DIR}/${pc}.pc @ONLY)
endforeach()

# The man page and completions are made from the tables of options.
set(docs ${CMAKE_BINARY_DIR}/docs)
add_custom_command(
  OUTPUT ${docs}/sigcc.1.gz ${docs}/sigcc.bash ${docs}/_sigcc ${docs}/sigcc.fish
  COMMAND ${CMAKE_COMMAND} -E make_directory ${docs}
  COMMAND sigcc man > ${docs}/sigcc.1
  COMMAND gzip -9nf ${docs}/sigcc.1
  COMMAND sigcc completion bash > ${docs}/sigcc.bash
  COMMAND sigcc completion zsh > ${docs}/_sigcc
  COMMAND sigcc completion fish > ${docs}/sigcc.fish
  DEPENDS sigcc VERBATIM)
add_custom_target(sigcc_docs ALL DEPENDS ${docs}/sigcc.1.gz)

# What programs need that load packs, what they are built with, and the rest.
# Detectors need none of it where they run.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME compiler)
install(TARGETS sigccrt_shared
  LIBRARY DESTINATION lib COMPONENT runtime NAMELINK_COMPONENT dev)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/lintian-overrides RENAME libsigccrt0
  DESTINATION share/lintian/overrides COMPONENT runtime)
install(TARGETS sigccrt ARCHIVE DESTINATION lib COMPONENT dev)
install(FILES ${PUBLIC_HEADERS} DESTINATION include/sigcc COMPONENT dev)
install(FILES ${CMAKE_BINARY_DIR}/sigccrt.pc ${CMAKE_BINARY_DIR}/sigma.pc
  DESTINATION share/pkgconfig COMPONENT dev)
install(FILES ${CMAKE_SOURCE_DIR}/tests/embed/alerts.c
  DESTINATION share/doc/libsigccrt-dev/examples COMPONENT dev)
install(TARGETS sigcc RUNTIME DESTINATION bin)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sigma DESTINATION share/sigcc)
install(FILES ${CMAKE_BINARY_DIR}/sigcc-config.cmake
  ${CMAKE_BINARY_DIR}/sigcc-config-version.cmake DESTINATION ${package_dir})
install(FILES ${docs}/sigcc.1.gz DESTINATION share/man/man1)
install(FILES ${docs}/sigcc.bash RENAME sigcc
  DESTINATION share/bash-completion/completions)
install(FILES ${docs}/_sigcc DESTINATION share/zsh/vendor-completions)
install(FILES ${docs}/sigcc.fish DESTINATION share/fish/vendor_completions.d)

# ---- cpack -G DEB ----------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sigcc)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "sigcc maintainers <maintainers@sigcc.example.org>"
  CACHE STRING "who answers for the package")
# The first line is the synopsis.
set(CPACK_DEBIAN_COMPILER_DESCRIPTION
  "compiler from Sigma detection rules to native detectors
sigcc turns portable Sigma detection rules into programs that read security
events and write alerts. They need neither interpreter nor rules where they
run.")
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
  "compiled Sigma detection rules inside of programs
libsigccrt loads packs of rules that sigcc has compiled, checks who signed
them, and finds in a stream of events what they describe.")
set(CPACK_DEBIAN_DEV_DESCRIPTION
  "development files of compiled Sigma detection rules
Headers and libraries for detectors that sigcc compiles and for programs that
load packs of them, with an example.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_COMPONENTS_ALL compiler runtime dev)
set(CPACK_DEBIAN_COMPILER_PACKAGE_NAME sigcc)
set(CPACK_DEBIAN_COMPILER_PACKAGE_DEPENDS "gcc | c-compiler, libc6-dev")
set(CPACK_COMPONENT_COMPILER_DEPENDS dev)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libsigccrt0)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
file(WRITE ${CMAKE_BINARY_DIR}/deb/shlibs
  "libsigccrt 0 libsigccrt0 (>= ${PROJECT_VERSION})\n")
file(WRITE ${CMAKE_BINARY_DIR}/deb/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  ${CMAKE_BINARY_DIR}/deb/shlibs ${CMAKE_BINARY_DIR}/deb/triggers)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libsigccrt-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libpcre2-dev, zlib1g-dev, libdeflate-dev, libzstd-dev, libsqlite3-dev")
set(CPACK_COMPONENT_DEV_DEPENDS runtime)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
  WORLD_EXECUTE)
configure_file(${CMAKE_SOURCE_DIR}/LICENSE ${docs}/copyright COPYONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${docs}/changelog.in @ONLY)
add_custom_command(OUTPUT ${docs}/changelog.gz
  COMMAND gzip -9nc ${docs}/changelog.in > ${docs}/changelog.gz
  DEPENDS ${docs}/changelog.in VERBATIM)
add_custom_target(sigcc_changelog ALL DEPENDS ${docs}/changelog.gz)
foreach(part compiler:sigcc runtime:libsigccrt0 dev:libsigccrt-dev)
  string(REPLACE ":" ";" part ${part})
  list(GET part 0 component)
  list(GET part 1 package)
  install(FILES ${docs}/copyright ${docs}/changelog.gz
    DESTINATION share/doc/${package} COMPONENT ${component})
endforeach()
include(CPack)
