# mirrorctl_room(NAME base SOURCES a.c b.c [USES model ...] [VENDOR CURL ...])
#
# A room is a static library of its own that links only the rooms it may open (USES) and the libraries
# it may see (VENDOR). Linking is transitive for the final binary, but an #include of a room that is not
# named fails in tests/lint/layering.
function(mirrorctl_room)
  cmake_parse_arguments(ROOM "" "NAME" "SOURCES;USES;VENDOR" ${ARGN})
  add_library(mirrorctl_${ROOM_NAME} STATIC ${ROOM_SOURCES})
  target_link_libraries(mirrorctl_${ROOM_NAME} PUBLIC mirrorctl_options)
  foreach(used IN LISTS ROOM_USES)
    target_link_libraries(mirrorctl_${ROOM_NAME} PUBLIC mirrorctl_${used})
  endforeach()
  foreach(vendor IN LISTS ROOM_VENDOR)
    target_link_libraries(mirrorctl_${ROOM_NAME} PRIVATE PkgConfig::${vendor})
  endforeach()
endfunction()

# mirrorctl_unit(ROOM FILE...): one cmocka program a file, named unit.<room>.<file>.
function(mirrorctl_unit room)
  foreach(file IN LISTS ARGN)
    get_filename_component(stem "${file}" NAME_WE)
    set(target "unit_${room}_${stem}")
    add_executable(${target} "${file}")
    target_link_libraries(${target} PRIVATE mirrorctl_${room} PkgConfig::CMOCKA)
    add_test(NAME "unit.${room}.${stem}" COMMAND ${target})
    set_tests_properties("unit.${room}.${stem}" PROPERTIES TIMEOUT 120 LABELS unit)
  endforeach()
endfunction()
