#include "doctor/rest/route.hpp"

#include <gtest/gtest.h>

namespace doctor::rest {
namespace {

TEST(Route, OfDocumentsNamesCollectionAndId) {
  const Route route = route_of("/entities/vm/a%2Fb");
  EXPECT_EQ(route.resource, Resource::document);
  EXPECT_EQ(route.collection, "vm");
  EXPECT_EQ(route.id, "a%2Fb");
  EXPECT_EQ(route_of("/entities").resource, Resource::collections);
  EXPECT_EQ(route_of("/entities/vm").resource, Resource::collection);
}

TEST(Route, IgnoresOneSlashAtTheEnd) {
  EXPECT_EQ(route_of("/entities/").resource, Resource::collections);
  EXPECT_EQ(route_of("/entities/vm/").resource, Resource::collection);
  EXPECT_EQ(route_of("/entities/vm/1/").id, "1");
  EXPECT_EQ(route_of("/").resource, Resource::root);
}

TEST(Route, ASecondSlashAtTheEndIsAnEmptyId) {
  const Route route = route_of("/entities/vm//");
  EXPECT_EQ(route.resource, Resource::document);
  EXPECT_NE(route.id.data(), nullptr);
  EXPECT_EQ(route.id, "");
}

TEST(Route, WhatIsBelowADocumentDoesNotExist) {
  const Route route = route_of("/entities/vm/1/x");
  EXPECT_EQ(route.resource, Resource::unknown);
  EXPECT_EQ(route.area, Area::entities);
  EXPECT_EQ(route_of("/query").resource, Resource::unknown);
  EXPECT_EQ(route_of("/query/vm/1/x").area, Area::query);
  EXPECT_EQ(route_of("/sessions/1/x").area, Area::sessions);
  EXPECT_EQ(route_of("/healthz/x").resource, Resource::unknown);
  EXPECT_EQ(route_of("entities").resource, Resource::unknown);
  EXPECT_EQ(route_of("*").resource, Resource::unknown);
  EXPECT_EQ(route_of("").resource, Resource::unknown);
}

TEST(Route, NamesInMetricsHoldNoId) {
  EXPECT_EQ(route_name(route_of("/entities/vm/1").resource), "/entities/{c}/{id}");
  EXPECT_EQ(route_name(route_of("/sessions/secret").resource), "/sessions/{id}");
  EXPECT_EQ(route_name(route_of("/sessions/secret/x").resource), "other");
  EXPECT_EQ(route_name(route_of("/query/vm/1").resource), "/query/{c}/{id}");
  EXPECT_EQ(route_name(route_of("/openapi.json").resource), "/openapi.json");
}

TEST(Route, OfMqttClientsNamesOne) {
  const Route route = route_of("/mqtt/clients/connector:a%2Fb");
  EXPECT_EQ(route.resource, Resource::client);
  EXPECT_EQ(route.id, "connector:a%2Fb");
  EXPECT_EQ(route_of("/mqtt/clients").resource, Resource::clients);
  EXPECT_EQ(route_of("/mqtt/clients/").resource, Resource::clients);
  EXPECT_EQ(route_of("/mqtt/clients/a/b").resource, Resource::unknown);
  EXPECT_EQ(route_of("/mqtt/clients/a/b").area, Area::clients);
  EXPECT_EQ(route_of("/mqtt").resource, Resource::unknown);
  EXPECT_EQ(route_of("/mqtt/other").resource, Resource::unknown);
  EXPECT_EQ(route_of("/clients").resource, Resource::unknown);
}

TEST(Methods, OfADocumentAreThoseOfTheTable) {
  for (const auto method : {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    EXPECT_TRUE(allows(Resource::document, parse_method(method))) << method;
  }
  EXPECT_FALSE(allows(Resource::document, Method::post));
  EXPECT_FALSE(allows(Resource::collection, Method::patch));
  EXPECT_FALSE(allows(Resource::query_collection, Method::get));
  EXPECT_TRUE(allows(Resource::query_collection, Method::post));
}

TEST(Methods, AreComparedWithRegardToCase) {
  EXPECT_EQ(parse_method("get"), Method::other);
  EXPECT_EQ(parse_method("BREW"), Method::other);
  EXPECT_FALSE(allows(Resource::document, Method::other));
}

}  // namespace
}  // namespace doctor::rest
