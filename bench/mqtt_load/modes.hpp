#pragma once

#include "load/options.hpp"

namespace bench::mqtt {

using load::Options;

/// Messages from publishers, one for each topic, to subscribers, each of one topic or of all
/// (gather=1); each message carries its topic, its number in it and when it was due, so that none
/// is lost or comes twice unseen.
void stream(const Options& options);

/// Clients that connect at once and then keep silent.
void idle(const Options& options);

/// Messages that are kept, then a subscription that matches them all.
void retained(const Options& options);

/// Subscribers that log in as the sessions "bench-0", "bench-1", ... and hear what others cause;
/// prints "ready" when it may begin.
void hear(const Options& options);

}  // namespace bench::mqtt
