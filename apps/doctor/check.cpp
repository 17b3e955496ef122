#include <iostream>
#include <memory>

#include "command.hpp"
#include "doctor/store/store.hpp"

namespace doctor::app {
namespace {

int check(const std::string& directory) {
  const Result<store::CheckSummary> summary = store::check(
      directory, [](std::string_view fault) { std::cout << "fault: " << fault << '\n'; });
  if (!summary) {
    std::cerr << "doctor check: " << summary.error().detail << '\n';
    return exit_failure;
  }
  std::cout << directory << ": revision " << summary->revision.value << ", " << summary->documents
            << " documents in " << summary->collections << " collections, " << summary->sessions
            << " sessions, " << summary->commits << " commits in the log\n";
  if (summary->faults == 0) {
    std::cout << "no faults\n";
    return exit_success;
  }
  std::cout << summary->faults << " faults\n";
  return exit_failure;
}

}  // namespace

void add_check(CLI::App& program, Run& run) {
  CLI::App* command =
      program.add_subcommand("check", "Verify a data directory that no server holds");
  auto directory = std::make_shared<std::string>("./data");
  command->add_option("--data-dir", *directory, "the data directory")
      ->envname("DOCTOR_DATA_DIR")
      ->capture_default_str();
  command->callback([directory, &run] { run = [directory] { return check(*directory); }; });
}

}  // namespace doctor::app
