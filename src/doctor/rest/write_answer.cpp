#include "doctor/rest/write_answer.hpp"

#include <algorithm>

#include "doctor/base/text.hpp"
#include "doctor/json/value.hpp"
#include "doctor/rest/answer.hpp"
#include "doctor/rest/entity_tag.hpp"

namespace doctor::rest {
namespace {

using document::Change;
using document::ChangeKind;

int status_of(WriteShape shape, const engine::Outcome& outcome) {
  const bool created =
      std::any_of(outcome.changes.begin(), outcome.changes.end(),
                  [](const Change& change) { return change.kind == ChangeKind::created; });
  switch (shape) {
    case WriteShape::remove:
    case WriteShape::drop:
      return 204;
    case WriteShape::replace_all:
      return created && outcome.was_empty ? 201 : 200;
    case WriteShape::patch:
      return 200;
    default:
      return created ? 201 : 200;
  }
}

bool is_of_one(WriteShape shape) {
  return shape == WriteShape::one || shape == WriteShape::put || shape == WriteShape::patch;
}

// Appends the changes of one kind between brackets, each by `append`.
template <class Append>
void append_changes(std::string& out, const engine::Outcome& outcome, ChangeKind kind,
                    std::string_view brackets, Append append) {
  out += brackets[0];
  bool first = true;
  for (const Change& change : outcome.changes) {
    if (change.kind != kind) continue;
    if (!first) out += ',';
    first = false;
    append(change);
  }
  out += brackets[1];
}

void append_summary(std::string& out, const engine::Outcome& outcome) {
  const auto append_id = [&](const Change& change) { json::append_string(out, change.id); };
  out.append("{\"revision\":").append(std::to_string(outcome.revision.value));
  out.append(",\"created\":");
  append_changes(out, outcome, ChangeKind::created, "[]", append_id);
  out.append(",\"updated\":");
  append_changes(out, outcome, ChangeKind::updated, "{}", [&](const Change& change) {
    append_id(change);
    out += ":[";
    for (const std::string& field : change.fields) {
      if (&field != &change.fields.front()) out += ',';
      json::append_string(out, field);
    }
    out += ']';
  });
  out.append(",\"removed\":");
  append_changes(out, outcome, ChangeKind::removed, "[]", append_id);
  out.append(",\"unchanged\":").append(std::to_string(outcome.unchanged)).append("}");
}

std::string location(const Request& request, std::string_view id) {
  std::string path = request.area == Area::sessions
                         ? "/sessions/"
                         : "/entities/" + std::string(request.collection) + "/";
  return path += percent_encode(id);
}

}  // namespace

Response answer_write(const Request& request, const engine::Outcome& outcome,
                      std::string_view store_id) {
  Response response = begin_answer(request);
  add_revision(response, outcome.revision);
  response.status = status_of(request.shape, outcome);
  if (response.status == 204) return response;

  if (is_of_one(request.shape)) {
    response.headers += "ETag: ";
    append_document_tag(response.headers, store_id, outcome.document_revision, false);
    response.headers += "\r\n";
  }
  if (request.shape == WriteShape::one && response.status == 201) {
    response.add("Location", location(request, outcome.changes.front().id));
  }
  if (request.prefers_minimal) {
    response.headers += "Preference-Applied: return=minimal\r\n";
    return response;
  }
  response.headers += "Content-Type: application/json\r\n";
  append_summary(response.body, outcome);
  compress(request, response);
  return response;
}

}  // namespace doctor::rest
