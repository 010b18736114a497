# install.cmake - what `cmake --install` lays down, and the Debian package.
# sigcc finds its parts from its own place: PREFIX/bin, lib, include, share.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir lib/cmake/sigcc)
set(CMAKE_INSTALL_BINDIR bin)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/sigcc-config.cmake.in
  ${CMAKE_BINARY_DIR}/sigcc-config.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sigcc-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
configure_file(${CMAKE_CURRENT_LIST_DIR}/sigccrt.pc.in
  ${CMAKE_BINARY_DIR}/sigccrt.pc @ONLY)

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

install(TARGETS sigcc RUNTIME DESTINATION bin)
install(TARGETS sigccrt ARCHIVE DESTINATION lib)
install(FILES ${PUBLIC_HEADERS} DESTINATION include/sigcc)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sigma DESTINATION share/sigcc)
install(FILES ${CMAKE_BINARY_DIR}/sigcc-config.cmake
  ${CMAKE_BINARY_DIR}/sigcc-config-version.cmake DESTINATION ${package_dir})
install(FILES ${CMAKE_BINARY_DIR}/sigccrt.pc DESTINATION share/pkgconfig)
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
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "compiler from Sigma detection rules to native detectors")
set(CPACK_PACKAGE_DESCRIPTION
  "sigcc turns portable Sigma detection rules into programs that read security
 events and write alerts. They need neither interpreter nor rules where they
 run.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "gcc | c-compiler, libc6-dev, libpcre2-dev, zlib1g-dev, libdeflate-dev, libzstd-dev, libsqlite3-dev")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
  WORLD_EXECUTE)
configure_file(${CMAKE_SOURCE_DIR}/LICENSE ${docs}/copyright COPYONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${docs}/changelog.in @ONLY)
add_custom_command(OUTPUT ${docs}/changelog.gz
  COMMAND gzip -9nc ${docs}/changelog.in > ${docs}/changelog.gz
  DEPENDS ${docs}/changelog.in VERBATIM)
add_custom_target(sigcc_changelog ALL DEPENDS ${docs}/changelog.gz)
install(FILES ${docs}/copyright ${docs}/changelog.gz DESTINATION share/doc/sigcc)
include(CPack)
