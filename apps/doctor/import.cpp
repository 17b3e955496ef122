#include "import.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sys/stat.h>
#include <unistd.h>

#include "client.hpp"
#include "command.hpp"
#include "doctor/base/text.hpp"
#include "doctor/json/scanner.hpp"
#include "document_reader.hpp"
#include "progress.hpp"
#include "write_summary.hpp"

namespace doctor::app {
namespace {

constexpr std::size_t batch_documents = 10'000;  // of one commit
constexpr std::size_t batch_bytes = 16u << 20;   // far below the server's limit for a body

struct Arguments {
  std::string file;
  ImportRules rules;
  bool replace = false;
};

/// The input: a file or standard input, closed at the end.
class Input {
 public:
  explicit Input(const std::string& name)
      : name_(name == "-" ? "standard input" : name),
        descriptor_(name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Input() {
    if (descriptor_ > STDIN_FILENO) close(descriptor_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  const std::string& name() const { return name_; }
  /// Of a regular file.
  std::optional<std::uint64_t> size() const {
    struct stat status{};
    if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
  }
  Result<std::size_t> read(std::span<char> out) const {
    for (;;) {
      const ssize_t count = ::read(descriptor_, out.data(), out.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return error(Errc::unavailable, std::strerror(errno));
    }
  }

 private:
  std::string name_;
  int descriptor_;
};

class Import {
 public:
  Import(Client& client, const Arguments& arguments, const Input& input)
      : client_(client), arguments_(arguments), input_(input), progress_(input.size()) {}

  int run() {
    DocumentReader reader([this](std::span<char> out) { return input_.read(out); },
                          Limits{}.request_body);
    for (;;) {
      const auto object = reader.next();
      if (!object) return stop(object.error().detail);
      if (!*object) break;
      if (const int status = take(**object)) return status;
      progress_.show(reader.bytes_read(), documents_);
    }
    // An empty PUT empties the collection; an empty POST would say nothing.
    if (batch_.size() > 0 || arguments_.replace)
      if (const int status = send()) return status;
    progress_.clear();
    if (client_.json())
      std::cout << summary_.json() << '\n';
    else
      std::cout << documents_ << " documents: " << summary_.sentence() << '\n';
    return exit_success;
  }

 private:
  int take(const DocumentReader::Object& object) {
    const auto document = make_document(object.text, arguments_.rules);
    if (!document) {
      const std::size_t offset = document.error().offset.value_or(0);
      const auto before = object.text.substr(0, offset);
      return stop("line " +
                  std::to_string(object.line +
                                 static_cast<std::uint64_t>(std::ranges::count(before, '\n'))) +
                  ": " + document.error().detail);
    }
    const std::size_t bytes = batch_.bytes_with(document->text.size());
    if (arguments_.replace) {
      if (bytes > Limits{}.request_body)
        return stop("--replace sends one request, and " + std::to_string(batch_.size() + 1) +
                    " documents already exceed the " + std::to_string(Limits{}.request_body) +
                    " bytes that one may have; import without --replace");
    } else if (batch_.size() > 0 && (document->collection != collection_ ||
                                     batch_.size() == batch_documents || bytes > batch_bytes)) {
      if (const int status = send()) return status;
    }
    collection_ = document->collection;
    batch_.add(document->text, object.line);
    return exit_success;
  }

  int send() {
    const std::string body = batch_.body();
    const std::string& collection = arguments_.replace ? arguments_.rules.collection : collection_;
    const auto answer = client_.try_send({arguments_.replace ? "PUT" : "POST",
                                          entity_path("/entities", collection, {}),
                                          {{"Content-Type", "application/json"}},
                                          body});
    if (answer.status == exit_failure)
      return stop(place(answer.reply) + describe_refusal(answer.reply));
    if (!answer) return stop({}, answer.status);
    summary_.add(answer.reply.body);
    documents_ += batch_.size();
    batch_.clear();
    return exit_success;
  }

  /// The line of the document that the server refused, as well as it can be told.
  std::string place(const HttpReply& refusal) const {
    std::uint64_t line = 0;
    if (const auto problem = json::compact(refusal.body, 64)) {
      if (const auto offset = parse_unsigned(member(*problem, "offset"), UINT64_MAX))
        line = batch_.line_of_offset(*offset);
      if (const std::string id = member(*problem, "id"); line == 0 && !id.empty())
        line = batch_.line_of_id(id);
    }
    if (line != 0) return "line " + std::to_string(line) + ": ";
    if (batch_.size() == 0) return {};
    return "lines " + std::to_string(batch_.first_line()) + " to " +
           std::to_string(batch_.last_line()) + ": ";
  }

  /// Tells the failure, if it has not been told, and what had been written before it.
  int stop(const std::string& why, int status = exit_failure) {
    progress_.clear();
    if (!why.empty()) client_.complain(input_.name() + ": " + why);
    client_.complain(documents_ == 0
                         ? "nothing was written"
                         : std::to_string(documents_) +
                               " documents before it were written: " + summary_.sentence());
    return status;
  }

  Client& client_;
  const Arguments& arguments_;
  const Input& input_;
  Progress progress_;
  Batch batch_;
  std::string collection_;  // of the batch
  WriteSummary summary_;
  std::uint64_t documents_ = 0;  // acknowledged
};

int import(Client& client, const Arguments& arguments) {
  const Input input(arguments.file);
  if (!input.is_open()) {
    client.complain("cannot open " + input.name() + ": " + std::strerror(errno));
    return exit_usage;
  }
  return Import(client, arguments, input).run();
}

}  // namespace

void add_import(CLI::App& program, Run& run) {
  CLI::App* command = program.add_subcommand(
      "import", "Write the documents of a JSON array or of JSON lines, of any size");
  auto options = add_client_options(*command);
  add_json_option(*command, *options);
  auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->file, "or - for standard input")->required();
  CLI::Option* collection =
      command
          ->add_option(
              "-c,--collection", arguments->rules.collection,
              "where they go; without it every line says that, as `doctor export` writes it")
          ->type_name("NAME");
  command->add_option("--id", arguments->rules.id, "the field whose value becomes the id")
      ->type_name("FIELD");
  command
      ->add_option("--drop", arguments->rules.drop,
                   "a top-level field to leave out; may be repeated")
      ->type_name("FIELD")
      ->expected(1)
      ->take_all();
  command
      ->add_flag("--replace", arguments->replace,
                 "make the collection exactly this, in one request")
      ->needs(collection);
  command->footer(
      "Documents are sent in commits of at most 10 000. The first mistake ends the import and is\n"
      "told with its line; what was sent before it stays. --replace writes all or nothing, and\n"
      "refuses more than one request can carry.\n"
      "Examples:\n"
      "  doctor import --collection vm vms.json\n"
      "  mongoexport -d doctor -c vm | doctor import --collection vm --drop _id -\n"
      "  doctor import --collection language --id alpha_3 --replace languages.jsonl\n"
      "  doctor export --server http://other:3000 | doctor import -");
  command->final_callback([=, &run] {
    run = [=] {
      return with_client("import", *options,
                         [&](Client& client) { return import(client, *arguments); });
    };
  });
}

}  // namespace doctor::app
