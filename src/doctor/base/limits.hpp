#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace doctor {

/// Everything that a peer can make grow has its bound here, and each is a setting of the same name
/// under [limits] in doctor.toml. Sizes are bytes. Passing a bound is answered with its name.
struct Limits {
  // Documents (413 for sizes, 400 for the rest).
  std::size_t document_size = 16u << 20;
  std::size_t request_body = 64u << 20;
  std::uint32_t nesting = 64;              ///< the document's own braces are the first level
  std::size_t document_fields = 10'000;    ///< top-level fields
  std::size_t bulk_documents = 1'000'000;  ///< documents of one bulk write
  std::size_t patch_operations = 10'000;   ///< operations of one JSON Patch
  std::size_t patch_work = 256u << 20;     ///< bytes that one JSON Patch opens, copies, compares
  std::size_t collections = 10'000;        ///< collections that a store may ever have

  // Queries (400, but 413 for the text and 414 for the target).
  std::size_t request_target = 64u << 10;
  std::size_t query_text = 1u << 20;
  std::uint32_t query_nesting = 500;        ///< of a query's JSON, its brackets and its `@[...]`
  std::size_t query_orders = 16;            ///< paths of one orderBy
  std::size_t query_documents = 1'000'000;  ///< documents that one query looks at
  std::size_t answer_size = 256u << 20;     ///< bytes of one answer
  std::size_t cursor_size = 2u << 10;       ///< a page whose cursor would be longer has none

  std::size_t answer_cache = 64u << 20;  ///< bytes of large answers kept for others; 0: none

  // Connections.
  std::size_t connections = 10'000;             ///< of all protocols together
  std::size_t request_headers = 80u << 10;      ///< the header block with the request line (431)
  std::size_t bodies_under_way = 512u << 20;    ///< bytes of all bodies being received (503)
  std::size_t answers_under_way = 1024u << 20;  ///< bytes of all answers being sent (503)
  std::size_t commands_waiting = 10'000;        ///< writes queued for the writer (503)
  std::chrono::milliseconds tls_handshake_timeout{10'000};
  std::chrono::milliseconds header_timeout{10'000};  ///< from the first byte to the blank line
  std::chrono::milliseconds body_timeout{60'000};    ///< between two reads of a body
  std::chrono::milliseconds write_timeout{60'000};   ///< between two writes of an answer
  std::chrono::milliseconds idle_timeout{75'000};    ///< between two requests
  std::chrono::milliseconds min_revision_wait{1'000};
  std::chrono::milliseconds login_delay_max{5'000};
  std::chrono::milliseconds shutdown_grace{10'000};
  std::size_t exports = 2;  ///< exports at a time (429)
  std::chrono::milliseconds export_deadline{600'000};

  // MQTT.
  std::size_t mqtt_packet = 1u << 20;
  std::size_t mqtt_subscriptions = 1'000;  ///< of one client
  std::size_t mqtt_topic_levels = 128;
  std::size_t mqtt_client_id = 256;
  std::size_t mqtt_queue_messages = 100'000;   ///< waiting for one client
  std::size_t mqtt_queue_bytes = 8u << 20;     ///< waiting for one client
  std::size_t mqtt_backlog_bytes = 64u << 20;  ///< commits held for MQTT; older ones: from the log
  std::uint16_t mqtt_inflight = 100;           ///< messages not acknowledged, of one client
  std::uint16_t mqtt_topic_aliases = 32;       ///< of one client, each way
  std::size_t mqtt_sessions = 10'000;          ///< kept while their clients are away
  std::chrono::milliseconds mqtt_session_expiry_max{7LL * 24 * 3600 * 1000};
  std::size_t mqtt_retained_messages = 100'000;
  std::size_t mqtt_retained_bytes = 64u << 20;
  std::size_t mqtt_state_waiting = 64u << 20;  ///< to be written; only while the disk does not
  std::chrono::milliseconds mqtt_connect_timeout{10'000};
  std::chrono::milliseconds mqtt_keep_alive_max{0};  ///< of 5.0 clients, whole seconds; 0: any
  std::chrono::milliseconds mqtt_stalled_timeout{30'000};  ///< a client that reads nothing

  // STOMP.
  std::size_t stomp_headers = 128;               ///< of one frame
  std::size_t stomp_header_line = 16u << 10;     ///< name, colon and value, as they are on the wire
  std::size_t stomp_header_block = 64u << 10;    ///< from the command to the empty line
  std::size_t stomp_body = 16u << 20;            ///< of one frame; also once it is decompressed
  std::size_t stomp_before_connect = 64u << 10;  ///< of frames held until CONNECT
  std::size_t stomp_subscriptions = 1'000;       ///< of one connection
  std::size_t stomp_subscriptions_bytes = 1u << 20;  ///< text of all subscriptions of a connection
  std::size_t stomp_destination_segments = 128;      ///< between the dots of a destination
  std::size_t stomp_transactions = 100;              ///< open at a time, of one connection
  std::size_t stomp_transaction_frames = 10'000;     ///< of one transaction
  std::size_t stomp_transaction_bytes = 16u << 20;   ///< of one transaction
  std::size_t stomp_transactions_bytes = 64u << 20;  ///< of all that one connection has open
  std::size_t stomp_outbox_frames = 50'000;          ///< waiting for one connection
  std::size_t stomp_outbox_bytes = 16u << 20;        ///< waiting for one connection
  std::size_t stomp_outboxes_bytes = 512u << 20;     ///< waiting for all connections together
  std::size_t stomp_unacked_messages = 10'000;       ///< of one subscription
  std::size_t stomp_unacked_bytes = 16u << 20;       ///< of one subscription
  std::chrono::milliseconds stomp_connect_timeout{10'000};  ///< from the accept to CONNECT
  std::chrono::milliseconds stomp_stalled_timeout{30'000};  ///< a client that reads nothing

  // JSON-RPC.
  std::size_t rpc_batch = 1'000;            ///< calls of one batch
  std::size_t rpc_calls = 10'000;           ///< not yet answered, of one connection
  std::size_t rpc_calls_bytes = 64u << 20;  ///< not yet answered, of all connections together

  // Events.
  std::size_t events_filters = 100;              ///< subscription ids of one `event-filter`
  std::size_t events_backlog_bytes = 64u << 20;  ///< commits held for events; older: from the log
  std::size_t events_waiting = 10'000;           ///< for the rules that make documents of them
  std::size_t events_waiting_bytes = 16u << 20;  ///< the same, in bytes
  std::size_t events_commit_documents = 1'000;   ///< that events change in one commit
  std::size_t events_refresh_items = 100'000;    ///< of one answer to a refresh call
  std::chrono::milliseconds events_refresh_timeout{180'000};  ///< for that answer

  // Commit log.
  std::chrono::milliseconds log_retention{7LL * 24 * 3600 * 1000};
  std::size_t log_size = 1u << 30;
};

}  // namespace doctor
