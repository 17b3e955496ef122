#pragma once

#include <boost/intrusive/list.hpp>

#include "doctor/base/time.hpp"

namespace doctor::server {

/// A connection as its I/O thread watches it: by a deadline that is looked at about once a second,
/// so that no operation needs a timer of its own. Belongs to one thread.
class Watched : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  static constexpr Clock::time_point never = Clock::time_point::max();

  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  virtual ~Watched() = default;

  /// The deadline has passed; it is `never` now. Must not destroy a Watched.
  virtual void expired() = 0;
  /// The server is stopping: end when what is under way is done.
  virtual void wind_up() = 0;
  /// The server has waited long enough: end now.
  virtual void abort() = 0;

 protected:
  Clock::time_point deadline_ = never;

 private:
  friend class Deadlines;
};

/// The connections of one I/O thread.
class Deadlines {
 public:
  void add(Watched& watched) { put(watched, swept_); }
  /// The same for one that has no deadline, and is to be added again once it has: it costs nothing
  /// until then.
  void add_without_deadline(Watched& watched) { put(watched, others_); }

  void sweep(Clock::time_point now) {
    for (Watched& watched : swept_) {
      if (watched.deadline_ > now) continue;
      watched.deadline_ = Watched::never;
      watched.expired();
    }
  }
  void wind_up() {
    for (Watched& watched : swept_) watched.wind_up();
    for (Watched& watched : others_) watched.wind_up();
  }
  void abort() {
    for (Watched& watched : swept_) watched.abort();
    for (Watched& watched : others_) watched.abort();
  }

 private:
  using List = boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>>;

  static void put(Watched& watched, List& list) {
    watched.unlink();
    list.push_back(watched);
  }

  List swept_;
  List others_;
};

}  // namespace doctor::server
