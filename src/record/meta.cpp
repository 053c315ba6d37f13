// SPDX-License-Identifier: Apache-2.0
#include "record/meta.hpp"

#include <bit>

#include "record/bytes.hpp"

namespace powertrace::record {
namespace {

constexpr std::uint32_t kMaxSockets = 4096;
constexpr std::size_t kMaxZones = 4096;

void put(ByteWriter& out, const Zone& zone) {
  out.text(zone.name);
  out.text(zone_kind_name(zone.kind));
  out.difference(zone.socket);
  out.difference(zone.die);
  out.number((zone.in_total ? 1U : 0U) | (zone.measured ? 2U : 0U));
}

std::optional<ZoneKind> zone_kind(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ZoneKind::kPlatform); ++i) {
    if (zone_kind_name(static_cast<ZoneKind>(i)) == name) {
      return static_cast<ZoneKind>(i);
    }
  }
  return std::nullopt;
}

std::optional<Zone> get_zone(ByteReader& in) {
  Zone zone;
  zone.name = in.text();
  const std::optional<ZoneKind> kind = zone_kind(in.text());
  zone.socket = static_cast<int>(in.difference());
  zone.die = static_cast<int>(in.difference());
  const std::uint64_t flags = in.number();
  zone.in_total = (flags & 1U) != 0;
  zone.measured = (flags & 2U) != 0;
  if (!kind) {
    return std::nullopt;
  }
  zone.kind = *kind;
  return zone;
}

bool get_zones(ByteReader& in, Meta& meta) {
  const std::size_t zones = in.count();
  if (zones > kMaxZones) {
    return false;
  }
  for (std::size_t i = 0; i < zones; ++i) {
    std::optional<Zone> zone = get_zone(in);
    if (!zone || zone->socket < -1 || zone->socket >= static_cast<int>(meta.sockets)) {
      return false;
    }
    meta.zones.push_back(std::move(*zone));
    const bool known = in.number() != 0;
    const auto milliwatts = static_cast<std::int64_t>(in.number());
    if (milliwatts < 0 || milliwatts > 1'000'000'000) {
      return false;
    }
    meta.idle_mw.push_back(known ? std::optional(milliwatts) : std::nullopt);
  }
  return true;
}

}  // namespace

std::string encode_meta(const Meta& meta) {
  ByteWriter out;
  out.text(meta.program);
  out.text(meta.host);
  out.text(meta.kernel);
  out.number(meta.command.size());
  for (const std::string& word : meta.command) {
    out.text(word);
  }
  out.text(meta.focus);
  for (const std::uint64_t number :
       {std::uint64_t{meta.self_pid}, std::uint64_t{meta.cpus}, std::uint64_t{meta.sockets},
        meta.start_ns, meta.realtime_ns, meta.window_ns, meta.flush_ns}) {
    out.number(number);
  }
  out.text(meta.source.name);
  out.number(meta.source.measured ? 1 : 0);
  out.u64(std::bit_cast<std::uint64_t>(meta.source.expected_error));
  out.text(model_name(meta.model));
  out.text(idle_policy_name(meta.idle));
  out.number((meta.counters_on ? 1U : 0U) | (meta.instructions_on ? 2U : 0U) |
             (meta.slices ? 4U : 0U));
  out.number(meta.zones.size());
  for (std::size_t i = 0; i < meta.zones.size(); ++i) {
    put(out, meta.zones[i]);
    out.number(meta.idle_mw[i] ? 1 : 0);
    out.number(static_cast<std::uint64_t>(meta.idle_mw[i].value_or(0)));
  }
  out.number(meta.sample_hz);
  out.text(meta.sample_event);
  return out.bytes();
}

std::optional<Meta> decode_meta(std::string_view payload) {
  ByteReader in(payload);
  Meta meta;
  meta.program = in.text();
  meta.host = in.text();
  meta.kernel = in.text();
  for (std::size_t words = in.count(); words > 0; --words) {
    meta.command.emplace_back(in.text());
  }
  meta.focus = in.text();
  meta.self_pid = in.number32();
  meta.cpus = in.number32();
  meta.sockets = in.number32();
  for (std::uint64_t* number :
       {&meta.start_ns, &meta.realtime_ns, &meta.window_ns, &meta.flush_ns}) {
    *number = in.number();
  }
  meta.source.name = in.text();
  meta.source.measured = in.number() != 0;
  meta.source.expected_error = std::bit_cast<double>(in.u64());
  const Result<Model> model = parse_model(in.text());
  const Result<IdlePolicy> idle = parse_idle_policy(in.text());
  const std::uint64_t flags = in.number();
  meta.counters_on = (flags & 1U) != 0;
  meta.instructions_on = (flags & 2U) != 0;
  meta.slices = (flags & 4U) != 0;
  const double error = meta.source.expected_error;
  if (!in.ok() || meta.sockets == 0 || meta.sockets > kMaxSockets || !(error >= 0 && error <= 10) ||
      !get_zones(in, meta)) {
    return std::nullopt;
  }
  meta.sample_hz = in.number32();
  meta.sample_event = in.text();
  // A model of a later version cannot be the default here; everything else can still be read.
  meta.model = model ? *model : meta.counters_on ? Model::kCycles : Model::kTime;
  meta.idle = idle ? *idle : IdlePolicy::kSeparate;
  return in.ok() ? std::optional(std::move(meta)) : std::nullopt;
}

}  // namespace powertrace::record
