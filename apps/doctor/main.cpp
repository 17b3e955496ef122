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
  program.require_subcommand(1);
  program.failure_message(CLI::FailureMessage::help);
  program.footer(
      "Exit status: 0 done, 1 failed, 2 the command line or the configuration is wrong.");
  doctor::app::Run run;
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& mistake) {
    // CLI11 has a number of its own for each mistake; --help and --version come this way too.
    return program.exit(mistake) == 0 ? doctor::app::exit_success : doctor::app::exit_usage;
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
