# A room is a folder of src/doctor: one library `doctor_<name>` of its sources, and one program
# `<name>_tests` of its *_test.cpp files, which stand beside what they test. With DOCTOR_BENCH its
# *_bench.cpp files are a program `<name>_bench` (Google Benchmark).
#
#   doctor_room(json USES base)          rooms of lower rank (tests/layers.py checks the includes)
#   doctor_room(store USES ... LINKS lmdb)   libraries of others
find_package(GTest REQUIRED)
include(GoogleTest)

function(doctor_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ROOM_USES PREPEND doctor_)

  if(sources)
    add_library(doctor_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(doctor_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(doctor_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(doctor_${name} ${scope} ${ROOM_USES} ${ROOM_LINKS})

  if(tests)
    add_executable(${name}_tests ${tests})
    target_link_libraries(${name}_tests PRIVATE doctor_${name} GTest::gtest GTest::gtest_main)
    # What they test is optimised; they themselves take longer to compile than to run, but for those
    # with a model of what they test.
    set(plain ${tests})
    list(FILTER plain EXCLUDE REGEX "_property_test\\.cpp$")
    set_source_files_properties(${plain} PROPERTIES COMPILE_OPTIONS $<$<CONFIG:RelWithDebInfo>:-O0>)
    add_test(NAME ${name} COMMAND ${name}_tests)
  endif()
  if(benches AND DOCTOR_BENCH)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE doctor_${name} benchmark::benchmark_main)
  endif()
endfunction()
