// Reads documents from the bodies of requests: declared in document.hpp.

#include "doctor/document/builder.hpp"
#include "doctor/document/document.hpp"
#include "doctor/json/keys.hpp"
#include "doctor/json/scanner.hpp"

namespace doctor::document {
namespace {

constexpr std::string_view not_an_object = "a document is an object";

// Reads the elements of a bulk body. The first fault in the content of a document is kept while the
// rest is read for its syntax.
class BulkReader {
 public:
  BulkReader(std::string_view body, IdRule rule, const Limits& limits)
      : scanner_(body), rule_(rule), limits_(limits), builder_(rule, limits) {}

  Result<std::vector<Document>> read() {
    if (!scanner_.take('[')) return scanner_.fail("a bulk body is an array of documents");
    if (!scanner_.take(']')) {
      do {
        if (auto element = read_element(); !element) return element.error();
      } while (scanner_.take(','));
      if (!scanner_.take(']')) return scanner_.unexpected("',' or ']'");
    }
    if (auto ended = scanner_.end(); !ended) return ended.error();
    if (!fault_) check_repeated();
    if (fault_) return *fault_;
    return std::move(documents_);
  }

 private:
  Result<void> read_element() {
    const char first = scanner_.peek();
    const std::size_t offset = scanner_.offset();
    if (first != '{') {
      skipped_.clear();
      if (auto value = scanner_.value(skipped_, limits_.nesting); !value) return value;
      note(json::Scanner::fail_at(offset, std::string(not_an_object)));
      return {};
    }
    if (auto taken = builder_.take(scanner_); !taken) return taken;
    if (fault_) return {};
    auto document = builder_.finish(std::nullopt);
    if (!document) {
      note(document.error());
    } else if (documents_.size() == limits_.bulk_documents) {
      note(invalid("a bulk write has at most " + std::to_string(limits_.bulk_documents) +
                   " documents (limit bulk_documents)"));
    } else {
      documents_.push_back(std::move(*document));
      offsets_.push_back(offset);
    }
    return {};
  }

  void note(Error failure) {
    if (!fault_) fault_ = std::move(failure);
    documents_.clear();
  }

  void check_repeated() {
    std::vector<json::Key> ids;
    ids.reserve(documents_.size());
    for (std::size_t i = 0; i < documents_.size(); ++i) {
      ids.emplace_back(documents_[i].view().id_value(), i);
    }
    const json::Key* repeated = json::find_repeated(ids);
    if (repeated == nullptr) return;
    Error failure =
        json::Scanner::fail_at(offsets_[repeated->offset], "the same id twice in one bulk write");
    failure.field = "id";
    failure.id = shown_id(rule_, documents_[repeated->offset].id());
    note(std::move(failure));
  }

  json::Scanner scanner_;
  IdRule rule_;
  const Limits& limits_;
  Builder builder_;
  std::string skipped_;
  std::vector<Document> documents_;
  std::vector<std::size_t> offsets_;
  std::optional<Error> fault_;
};

}  // namespace

Result<Document> parse_document(std::string_view body, const ParseOptions& options,
                                const Limits& limits) {
  if (auto checked = json::check_utf8(body); !checked) return checked.error();
  json::Scanner scanner(body);
  const char first = scanner.peek();
  const std::size_t offset = scanner.offset();
  if (first != '{') {
    std::string skipped;
    if (auto value = scanner.value(skipped, limits.nesting); !value) return value.error();
    if (auto ended = scanner.end(); !ended) return ended.error();
    return json::Scanner::fail_at(offset, std::string(not_an_object));
  }
  Builder builder(options.rule, limits);
  if (auto taken = builder.take(scanner); !taken) return taken.error();
  if (auto ended = scanner.end(); !ended) return ended.error();
  return builder.finish(options.path_id);
}

Result<std::vector<Document>> parse_documents(std::string_view body, IdRule rule,
                                              const Limits& limits) {
  if (auto checked = json::check_utf8(body); !checked) return checked.error();
  return BulkReader(body, rule, limits).read();
}

char first_octet(std::string_view body) {
  return json::Scanner(body).peek();
}

}  // namespace doctor::document
