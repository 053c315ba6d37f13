# SPDX-License-Identifier: Apache-2.0
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES deploy/systemd/powertrace.service deploy/systemd/powertrace-cap.service
        deploy/systemd/powertrace-market.service DESTINATION lib/systemd/system)
install(FILES deploy/systemd/powertrace.yaml DESTINATION /etc/powertrace)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "powertrace maintainers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
include(CPack)
