# Debian packages: cmake --build --preset release --target package
#   consilium-node     what a hospital runs: user and unit, settings in /etc/consilium
#   consilium-society  what a medical society runs: its tool, and a relay likewise
include(GNUInstallDirs)
function(consilium_package component)
  foreach(program ${ARGN})
    if(TARGET ${program})
      install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
    endif()
  endforeach()
  install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/LICENSE COMPONENT ${component}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/consilium-${component})
endfunction()
function(consilium_manual component room)
  foreach(page ${ARGN})
    string(REGEX MATCH "[0-9]$" section ${page})
    install(FILES ${CMAKE_SOURCE_DIR}/${room}/${page} COMPONENT ${component}
      DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endforeach()
endfunction()
# ROOM/README.md as the operator's guide; unit, settings, user and the scripts of dpkg from ROOM/package.
function(consilium_service component room unit)
  set(from ${CMAKE_SOURCE_DIR}/${room}/package)
  install(FILES ${CMAKE_SOURCE_DIR}/${room}/README.md COMPONENT ${component} RENAME guide.md
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/consilium-${component})
  install(FILES ${from}/${unit}.service COMPONENT ${component} DESTINATION lib/systemd/system)
  install(FILES ${from}/${unit}.conf COMPONENT ${component} DESTINATION /etc/consilium)
  install(FILES ${from}/sysusers.conf COMPONENT ${component} DESTINATION lib/sysusers.d
    RENAME ${ARGV3}.conf)
  install(FILES ${from}/tmpfiles.conf COMPONENT ${component} DESTINATION lib/tmpfiles.d
    RENAME ${ARGV3}.conf)
  string(TOUPPER ${component} name)
  set(CPACK_DEBIAN_${name}_PACKAGE_CONTROL_EXTRA ${from}/postinst ${from}/prerm ${from}/conffiles
    PARENT_SCOPE)
endfunction()

consilium_package(node consiliumd consilium)
consilium_manual(node node consiliumd.8 consiliumd.conf.5 consilium.1)
consilium_service(node node consiliumd consilium-node)
install(FILES node/package/consilium-backup.service node/package/consilium-backup.timer COMPONENT node
  DESTINATION lib/systemd/system)
install(FILES node/monitoring/consilium.rules.yml node/monitoring/consilium.dashboard.json COMPONENT node
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/consilium-node)
if(TARGET consilium)
  install(FILES ${CMAKE_BINARY_DIR}/node/cli/consilium.bash COMPONENT node RENAME consilium
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
consilium_package(society consilium-relay consilium-society)
consilium_manual(society bootstrap consilium-relay.8 consilium-society.1)
consilium_service(society bootstrap consilium-relay consilium-relay)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VENDOR Consilium)
set(CPACK_PACKAGE_CONTACT "the maintainers of Consilium <maintainers@consilium.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Second opinions between hospitals, peer to peer")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL node society)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# libsodium from its correction of CVE-2025-69277 on
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles, libsodium23 (>= 1.0.18-1+deb12u1)")
# consilium-pdf draws text whose font a PDF does not bring along: the standard fonts, a font with most
# alphabets, and the tables for Chinese, Japanese and Korean encodings
set(CPACK_DEBIAN_NODE_PACKAGE_DEPENDS
  "${CPACK_DEBIAN_PACKAGE_DEPENDS}, fontconfig-config, fonts-urw-base35, fonts-dejavu-core, poppler-data")
set(CPACK_DEBIAN_NODE_PACKAGE_NAME consilium-node)
set(CPACK_DEBIAN_SOCIETY_PACKAGE_NAME consilium-society)
include(CPack)
