#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>

#include "doctor/document/view.hpp"
#include "doctor/engine/command.hpp"
#include "doctor/query/query.hpp"
#include "doctor/rest/fields.hpp"
#include "doctor/rest/route.hpp"

namespace doctor::rest {

/// Who was let in.
struct Access {
  document::Principal::Kind kind = document::Principal::Kind::anyone;
  std::string_view session_id{};  ///< for a session: looked up again in the view of the read
};

/// What a write is, as far as its answer depends on it.
enum class WriteShape : std::uint8_t { one, many, replace_all, put, patch, remove, drop };

/// What is known of a request, gathered step by step: by `admit` from its head, then by `plan` from
/// its body. Known to this room alone. The views are of the head, or of `owned`.
struct Request {
  Request() = default;
  Request(Request&&) = default;
  Request& operator=(Request&&) = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() = default;

  // From the head.
  Method method = Method::other;
  Resource resource = Resource::unknown;
  Area area = Area::none;
  std::string_view collection{};                      ///< decoded; the reserved one for sessions
  std::string_view id{};                              ///< decoded
  std::optional<std::string_view> query_parameter{};  ///< `q` as it was sent
  std::string_view parameters{};                      ///< all behind the `?`
  Access access{};
  document::Revision admitted_at{};  ///< the store's revision when it was let in
  Fields fields{};
  std::string_view allowed_origin{};  ///< for Access-Control-Allow-Origin; empty: no such header
  bool accepts_gzip = false;
  bool prefers_minimal = false;
  std::size_t answer_max = SIZE_MAX;  ///< bytes that whoever carries the answer takes
  engine::Precondition precondition{};

  // From the body, for a read.
  std::optional<query::Query> query{};  ///< none: whole documents in creation order
  std::string query_text{};
  bool query_in_body = false;
  std::string position{};  ///< the opened cursor
  std::optional<document::Revision> min_revision{};

  // From the body, for a write.
  WriteShape shape = WriteShape::put;

  /// Texts that are not in the head as they are: decoded or joined. Its nodes stay where they are
  /// when the request is moved.
  std::forward_list<std::string> owned{};

  std::string_view keep(std::string text) { return owned.emplace_front(std::move(text)); }
  bool is_read() const {
    return method == Method::get || method == Method::head || area == Area::query;
  }
  document::IdRule id_rule() const {
    return area == Area::sessions ? document::IdRule::session : document::IdRule::document;
  }
};

}  // namespace doctor::rest
