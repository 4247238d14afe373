# Debian packages: cmake --build --preset release --target package
#   consilium-node     what a hospital runs
#   consilium-society  what a medical society runs
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

consilium_package(node consiliumd consilium)
consilium_manual(node node consiliumd.8 consiliumd.conf.5 consilium.1)
if(TARGET consilium)
  install(FILES ${CMAKE_BINARY_DIR}/node/cli/consilium.bash COMPONENT node RENAME consilium
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
consilium_package(society consilium-relay consilium-society)
consilium_manual(society bootstrap consilium-relay.8 consilium-society.1)

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
set(CPACK_DEBIAN_NODE_PACKAGE_NAME consilium-node)
set(CPACK_DEBIAN_SOCIETY_PACKAGE_NAME consilium-society)
include(CPack)
