// The patches that are objects themselves: declared in patch.hpp.

#include <algorithm>
#include <forward_list>

#include "doctor/json/patch.hpp"
#include "doctor/json/value.hpp"

namespace doctor::json {
namespace {

// The members of a patch, in their order and by name.
class Wishes {
 public:
  struct Wish {
    std::string_view name;  // unescaped
    Member member;
    bool met = false;
  };

  explicit Wishes(std::string_view patch) {
    for (const Member& member : Members(patch)) wishes_.push_back({plain(member.name), member});
    by_name_.resize(wishes_.size());
    for (std::size_t i = 0; i < wishes_.size(); ++i) by_name_[i] = i;
    std::sort(by_name_.begin(), by_name_.end(),
              [this](std::size_t a, std::size_t b) { return wishes_[a].name < wishes_[b].name; });
  }

  // The wish for the member whose name is spelt so, or null.
  Wish* find(std::string_view spelling) {
    std::string unescaped;
    if (has_escape(spelling)) {
      unescaped = unescape(spelling);
      spelling = unescaped;
    }
    const auto found =
        std::lower_bound(by_name_.begin(), by_name_.end(), spelling,
                         [this](std::size_t i, std::string_view s) { return wishes_[i].name < s; });
    if (found == by_name_.end() || wishes_[*found].name != spelling) return nullptr;
    return &wishes_[*found];
  }

  const std::vector<Wish>& all() const { return wishes_; }

 private:
  static bool has_escape(std::string_view spelling) {
    return spelling.find('\\') != std::string_view::npos;
  }
  std::string_view plain(std::string_view spelling) {
    return has_escape(spelling) ? unescaped_.emplace_front(unescape(spelling)) : spelling;
  }

  std::vector<Wish> wishes_;
  std::vector<std::size_t> by_name_;
  std::forward_list<std::string> unescaped_;
};

enum class Depth { top, all };

bool is_object(std::string_view value) {
  return value.front() == '{';
}

// Appends the object `target` as the object `patch` changes it.
void patch_object(std::string& out, std::string_view target, std::string_view patch, Depth depth) {
  const std::size_t begin = out.size();
  const auto append_name = [&](std::string_view name) {
    out += out.size() == begin ? "{\"" : ",\"";
    out += name;
    out += "\":";
  };
  const auto append_wish = [&](std::string_view was, std::string_view wished) {
    if (depth == Depth::all && is_object(wished)) {
      patch_object(out, is_object(was) ? was : "{}", wished, depth);
    } else {
      out += wished;
    }
  };

  Wishes wishes(patch);
  for (const Member& member : Members(target)) {
    Wishes::Wish* wish = wishes.find(member.name);
    if (wish != nullptr) wish->met = true;
    if (wish != nullptr && wish->member.value == "null") continue;
    append_name(member.name);
    if (wish != nullptr) {
      append_wish(member.value, wish->member.value);
    } else {
      out += member.value;
    }
  }
  for (const Wishes::Wish& wish : wishes.all()) {
    if (wish.met || wish.member.value == "null") continue;
    append_name(wish.member.name);
    append_wish("{}", wish.member.value);
  }
  out += out.size() == begin ? "{}" : "}";
}

Patched patched(std::string_view target, std::string_view patch, Depth depth) {
  Patched result;
  result.object.reserve(target.size() + patch.size());
  patch_object(result.object, target, patch, depth);
  for (const Member& member : Members(patch)) result.touched.push_back(unescape(member.name));
  return result;
}

}  // namespace

Patched shallow_patch(std::string_view target, std::string_view patch) {
  return patched(target, patch, Depth::top);
}

Patched merge_patch(std::string_view target, std::string_view patch) {
  return patched(target, patch, Depth::all);
}

}  // namespace doctor::json
