#include <iostream>
#include <memory>

#include "command.hpp"
#include "doctor/json/value.hpp"
#include "doctor/store/store.hpp"

namespace doctor::app {
namespace {

int check(const std::string& directory, bool as_json) {
  std::string faults;  // as the elements of a JSON array
  const Result<store::CheckSummary> summary = store::check(directory, [&](std::string_view fault) {
    if (!as_json) std::cout << "fault: " << fault << '\n';
    faults += (faults.empty() ? "" : ",") + json::quoted(fault);
  });
  if (!summary) {
    std::cerr << "doctor check: " << summary.error().detail << '\n';
    return exit_failure;
  }
  if (as_json) {
    std::cout << R"({"revision":)" << summary->revision.value << R"(,"documents":)"
              << summary->documents << R"(,"collections":)" << summary->collections
              << R"(,"sessions":)" << summary->sessions << R"(,"commits":)" << summary->commits
              << R"(,"mqtt_records":)" << summary->mqtt_records << R"(,"faults":[)" << faults
              << "]}\n";
  } else {
    std::cout << directory << ": revision " << summary->revision.value << ", " << summary->documents
              << " documents in " << summary->collections << " collections, " << summary->sessions
              << " sessions, " << summary->commits << " commits in the log, "
              << summary->mqtt_records << " records of MQTT\n";
    if (summary->faults == 0)
      std::cout << "no faults\n";
    else
      std::cout << summary->faults << " faults\n";
  }
  return summary->faults == 0 ? exit_success : exit_failure;
}

}  // namespace

void add_check(CLI::App& program, Run& run) {
  CLI::App* command =
      program.add_subcommand("check", "Verify a data directory that no server holds");
  auto directory = std::make_shared<std::string>("./data");
  command->add_option("--data-dir", *directory, "the data directory")
      ->envname("DOCTOR_DATA_DIR")
      ->capture_default_str();
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "print what was found as JSON");
  command->footer(
      "Reads everything and changes nothing: every document parses, every index entry agrees both\n"
      "ways, revisions have no gap, counts hold, what is kept of MQTT is whole. Exit status 1 if "
      "there is a fault.\n"
      "Example:\n"
      "  doctor check --data-dir /var/lib/doctor");
  command->callback([=, &run] { run = [=] { return check(*directory, *json); }; });
}

}  // namespace doctor::app
