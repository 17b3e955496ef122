#include <exception>
#include <iostream>

#include "command.hpp"

namespace {

int run_program(int argc, char** argv) {
  CLI::App program(
      "Doctor: a live JSON document cache.\n"
      "Documents in over HTTP; joined reads, and push over MQTT, out.");
  program.name("doctor");
  program.set_version_flag("--version", "doctor " DOCTOR_VERSION);
  program.require_subcommand(0,
                             1);  // with 1, a misspelt one would be told only that one is missing
  program.failure_message(CLI::FailureMessage::simple);
  program.footer(
      "Exit status: 0 done, 1 failed or refused, 2 the command line or the configuration is "
      "wrong,\n"
      "3 the server cannot be reached.");
  doctor::app::Run run;
  doctor::app::add_serve(program, run);
  doctor::app::add_check(program, run);
  doctor::app::add_get(program, run);
  doctor::app::add_query(program, run);
  doctor::app::add_post(program, run);
  doctor::app::add_put(program, run);
  doctor::app::add_patch(program, run);
  doctor::app::add_delete(program, run);
  doctor::app::add_import(program, run);
  doctor::app::add_export(program, run);
  doctor::app::add_sessions(program, run);
  doctor::app::add_clients(program, run);
  doctor::app::add_events(program, run);
  doctor::app::add_rpc(program, run);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& mistake) {
    // CLI11 has a number of its own for each mistake; --help and --version come this way too.
    return program.exit(mistake) == 0 ? doctor::app::exit_success : doctor::app::exit_usage;
  }
  if (!run) {
    std::cerr << program.help();
    return doctor::app::exit_usage;
  }
  return run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "doctor: " << failure.what() << '\n';
    return doctor::app::exit_failure;
  }
}
