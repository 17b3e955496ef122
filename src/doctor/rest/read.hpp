#pragma once

#include "doctor/base/limits.hpp"
#include "doctor/base/time.hpp"
#include "doctor/document/view.hpp"
#include "doctor/engine/authority.hpp"
#include "doctor/rest/answer_cache.hpp"
#include "doctor/rest/http.hpp"
#include "doctor/rest/request.hpp"
#include "doctor/store/store.hpp"

namespace doctor::rest {

/// What reads share; all of it outlives them.
struct ReadContext {
  const Limits& limits;
  const engine::Authority& authority;
  const store::Identity& identity;
  AnswerCache& answers;
};

/// Runs a read that was planned over a view of everything, as who sent it may see it.
Response answer_read(const ReadContext& context, const Request& request, const document::View& view,
                     Timestamp now);

}  // namespace doctor::rest
