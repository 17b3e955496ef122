// Any text is refused as a query, or answered: with strict JSON in which no key comes twice, page
// after page.
//
//   input = kind of question, one octet; the query

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "doctor/document/memory_view.hpp"
#include "doctor/json/scanner.hpp"
#include "doctor/query/query.hpp"

namespace {

// References that lead around, nowhere, to numbers, and arrays of all of these.
const doctor::document::MemoryView& documents() {
  static const doctor::document::MemoryView* const view = [] {
    auto* made = new doctor::document::MemoryView;
    made->put("a",
              R"({"id":"1","a":"2","b":[1,"2","gone",null,1],"s":"up","n":1.0,"Display Name":""})");
    made->put("a", R"({"id":"2","a":"1","b":"1","s":"D\u006Fwn","n":-0,"o":{"x":[{"y":1},[2]]}})");
    made->put("a", R"({"id":3,"a":3,"b":{},"s":null,"n":1e400,"o":{"x":{"y":"a*b"},"id":3}})");
    made->put("a", R"({"id":"é\"\\","a":"gone","c":["1",{"d":[]}],"s":["a",["b"]],"n":true})");
    made->put("b", R"({"id":1,"a":1,"b":2,"s":"STRA\u1e9eE"})");
    made->put("b", R"({"id":2,"a":["1","é\"\\",3],"b":1,"owner":"1"})");
    made->put("b", R"({"id":"3","a":"\u0031","version/major":3,"*":4})");
    made->put("c", R"({"id":"1","c":"1"})");
    return made;
  }();
  return *view;
}

void check(std::string_view answer) {
  const auto compact = doctor::json::compact(answer, doctor::json::Scanner::deepest);
  if (!compact || *compact != answer) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool single = (data[0] & 1) != 0;
  const std::string_view collection = (data[0] & 2) != 0 ? "b" : "a";
  doctor::Limits limits;
  limits.query_documents = 5'000;
  limits.answer_size = 200'000;
  limits.query_nesting = 200;

  const auto query = doctor::query::Query::parse(text, collection, single, limits);
  if (!query) return 0;
  std::string out;
  if (single) {
    if (doctor::query::one(documents(), collection, "1", *query, limits, out)) check(out);
    return 0;
  }
  std::string position;
  for (int pages = 0; pages < 20; ++pages) {
    out.clear();
    const auto page = doctor::query::list(documents(), collection, *query, position, limits, out);
    if (!page) return 0;
    check(out);
    position = page->next;
    if (position.empty()) return 0;
  }
  std::abort();  // four documents do not make twenty pages
}
