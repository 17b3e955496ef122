# A room is a folder of src/doctor: one library `doctor_<name>` of its sources, and one program
# `<name>_tests` of its *_test.cpp files, which stand beside what they test. With DOCTOR_BENCH its
# *_bench.cpp files are a program `<name>_bench` (Google Benchmark).
#
#   doctor_room(json USES base)          rooms of lower rank (tests/layers.py checks the includes)
#   doctor_room(store USES ... LINKS lmdb)   libraries of others
#   doctor_room(net ... PRECOMPILES asio.hpp)   what takes long to compile in most of its sources
find_package(GTest REQUIRED)
include(GoogleTest)

# Half of the time that a source takes to compile goes to the same headers of the standard library
# and of GoogleTest: they are compiled once. Without sanitizers only the tests have them so, that no
# source of the program forgets to include what it uses.
#
# What the tests test is optimised; they themselves take longer to compile than to run, but for those
# with a model of what they test (*_property_test.cpp).
set(doctor_tests_unoptimised $<$<CONFIG:RelWithDebInfo>:-O0>)
function(doctor_precompiled name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()
doctor_precompiled(doctor_precompiled ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)
doctor_precompiled(doctor_precompiled_tests ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp <gtest/gtest.h>)
target_compile_options(doctor_precompiled_tests PRIVATE ${doctor_tests_unoptimised})
target_link_libraries(doctor_precompiled_tests PRIVATE GTest::gtest)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The time in a precompiled header would keep ccache from knowing it again.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

function(doctor_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS;PRECOMPILES" ${ARGN})
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
  if(ROOM_PRECOMPILES)
    target_precompile_headers(doctor_${name} PRIVATE ${ROOM_PRECOMPILES})
  elseif(sources AND DOCTOR_SANITIZE)
    target_precompile_headers(doctor_${name} REUSE_FROM doctor_precompiled)
  endif()

  if(tests)
    add_executable(${name}_tests ${tests})
    target_link_libraries(${name}_tests PRIVATE doctor_${name} GTest::gtest GTest::gtest_main)
    target_compile_options(${name}_tests PRIVATE ${doctor_tests_unoptimised})
    target_precompile_headers(${name}_tests REUSE_FROM doctor_precompiled_tests)
    set(models ${tests})
    list(FILTER models INCLUDE REGEX "_property_test\\.cpp$")
    set_source_files_properties(${models} PROPERTIES
      COMPILE_OPTIONS $<$<CONFIG:RelWithDebInfo>:-O1> SKIP_PRECOMPILE_HEADERS ON)
    add_test(NAME ${name} COMMAND ${name}_tests)
  endif()
  if(benches AND DOCTOR_BENCH)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE doctor_${name} benchmark::benchmark_main)
  endif()
endfunction()
