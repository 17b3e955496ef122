#include "doctor/engine/engine.hpp"

#include "doctor/engine/writer.hpp"

namespace doctor::engine {

Engine::Engine(store::Store& store, const Limits& limits, Listener* listener)
    : writer_(std::make_unique<Writer>(store, limits, listener)) {}
Engine::~Engine() = default;

void Engine::submit(Command command, Completion completion) {
  writer_->submit(std::move(command), std::move(completion));
}

void Engine::tick(Timestamp now) {
  writer_->tick(now);
}

std::unique_ptr<store::Snapshot> Engine::snapshot() const {
  return writer_->store().snapshot();
}
document::Revision Engine::revision() const {
  return writer_->store().revision();
}
const store::Store& Engine::store() const {
  return writer_->store();
}

Engine::WaitNumber Engine::when_reached(document::Revision revision,
                                        std::function<void()> callback) {
  return writer_->when_reached(revision, std::move(callback));
}
void Engine::forget(WaitNumber wait) {
  writer_->forget(wait);
}

Figures Engine::figures() const {
  return writer_->figures();
}

}  // namespace doctor::engine
