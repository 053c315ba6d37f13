// SPDX-License-Identifier: Apache-2.0
//
// Answers of services, in their documented shape and of our own making: exact values or a named
// error.
#include "market/parsers.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/text.hpp"

using namespace powertrace;

namespace {

using powertrace::test::contains;

const ParseContext kFr{"FR", 1'770'000'000};

template <typename Parser>
Error error_of(Parser parser, const std::string& text, const ParseContext& context = kFr) {
  const auto result = parser(text, context);
  REQUIRE_MESSAGE(!result, text.substr(0, 300));
  return result.error();
}

// What any of them may get instead of an answer.
template <typename Parser>
void check_refusals(Parser parser, const std::string& good) {
  REQUIRE(parser(good, kFr));
  for (std::size_t length = 0; length + 1 < good.size(); length += 7) {
    CHECK_MESSAGE(!parser(good.substr(0, length), kFr), length);
  }
  for (const std::string bad :
       {"", "   \n", "null", "[]", "{}", "42", "\"text\"",
        "<html><body>Checking your browser</body>", "{\"data\":{}}", "{\"data\":[1]}",
        "{\"data\":[null]}", "\xff\xfe\x00", "{\"unix_seconds\":3}"}) {
    CHECK(!parser(bad, kFr));
  }
  CHECK(!parser(std::string(100'000, '['), kFr));
  CHECK(!parser(std::string(100'000, '<'), kFr));
  std::string deep = "<a>";
  for (int i = 0; i < 100'000; ++i) {
    deep += "<a>";
  }
  CHECK(!parser(deep, kFr));
}

std::string energy_charts(const std::string& times,
                          const std::string& prices,
                          const std::string& unit = "EUR / MWh") {
  return "{\"license_info\":\"CC BY 4.0\",\"unix_seconds\":[" + times + "],\"price\":[" + prices +
         "],\"unit\":\"" + unit + "\",\"deprecated\":false}";
}

std::string awattar_entry(std::int64_t start_ms, double price, const char* unit = "Eur/MWh") {
  return fmt::format(R"({{"start_timestamp":{},"end_timestamp":{},"marketprice":{},"unit":"{}"}})",
                     start_ms, start_ms + 3'600'000, price, unit);
}

std::string entsoe_series(const std::string& period,
                          const std::string& curve = "A03",
                          const std::string& rank = "",
                          const std::string& currency = "EUR") {
  return "<TimeSeries><mRID>1</mRID>" +
         (rank.empty() ? ""
                       : "<classificationSequence_AttributeInstanceComponent.position>" + rank +
                             "</classificationSequence_AttributeInstanceComponent.position>") +
         "<currency_Unit.name>" + currency +
         "</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>" +
         curve + "</curveType>" + period + "</TimeSeries>";
}

std::string entsoe_period(const std::string& from,
                          const std::string& to,
                          const std::string& resolution,
                          const std::vector<std::pair<int, double>>& points) {
  std::string text = "<Period><timeInterval><start>" + from + "</start><end>" + to +
                     "</end></timeInterval><resolution>" + resolution + "</resolution>";
  for (const auto& [position, price] : points) {
    text += fmt::format("<Point><position>{}</position><price.amount>{}</price.amount></Point>",
                        position, price);
  }
  return text + "</Period>";
}

std::string entsoe_document(const std::string& content, const std::string& version = "7:3") {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Publication_MarketDocument "
         "xmlns=\"urn:iec62325.351:tc57wg16:451-3:publicationdocument:" +
         version + "\"><type>A44</type>" + content + "</Publication_MarketDocument>";
}

const std::string kFourHours =
    entsoe_period("2026-01-01T00:00Z", "2026-01-01T04:00Z", "PT60M", {{1, 10}, {2, 20}, {4, -1.2}});
constexpr std::int64_t kNewYear = 1'767'225'600;  // 2026-01-01T00:00Z

}  // namespace

TEST_CASE("energy-charts: times, blanks in the unit, nulls and negatives") {
  const std::string good = energy_charts("1767135600,1767136500,1767137400", "94.87,null,-86.19");
  check_refusals(parse_energy_charts, good);
  const auto series = parse_energy_charts(good, kFr);
  CHECK(unit_of(series->info) == "EUR/kWh");
  CHECK(series->info.area == "FR");
  CHECK(series->info.licence == "CC BY 4.0");
  CHECK(series->info.fetched_at_s == kFr.fetched_at_s);
  REQUIRE(series->slots.size() == 2);
  CHECK(series->slots[0] == Slot{1'767'135'600, 1'767'136'500, 94.87 / 1000});
  CHECK(series->slots[1].start_s == 1'767'137'400);
  CHECK(series->slots[1].end_s == 1'767'138'300);
  CHECK(series->slots[1].value == doctest::Approx(-0.08619));
}

TEST_CASE("energy-charts: a change of resolution is taken, a hole is not") {
  std::string times;
  std::string prices;
  const auto add = [&](std::int64_t time) {
    times += (times.empty() ? "" : ",") + std::to_string(time);
    prices += prices.empty() ? "1" : ",1";
  };
  for (int i = 0; i < 3; ++i) {
    add(std::int64_t{3600} * i);
  }
  for (int i = 0; i < 8; ++i) {
    add(3 * 3600 + 900 * i);
  }
  const auto series = parse_energy_charts(energy_charts(times, prices), kFr);
  REQUIRE(series);
  CHECK(series->slots[2].length_s() == 3600);
  CHECK(series->slots[3].length_s() == 900);

  CHECK(contains(
      error_of(parse_energy_charts, energy_charts("0,900,2700,3600,4500,5400", "1,1,1,1,1,1"))
          .message,
      "hole"));
  CHECK(contains(error_of(parse_energy_charts, energy_charts("0,7000", "1,1")).message, "7000"));
  CHECK(!parse_energy_charts(energy_charts("900,0", "1,1"), kFr));
}

TEST_CASE("energy-charts: unequal lists, wrong unit, wrong types, impossible values") {
  CHECK(contains(error_of(parse_energy_charts, energy_charts("0,900,1800", "1,2")).message,
                 "3 times but 2 prices"));
  CHECK(!parse_energy_charts(energy_charts("0,900", "1,2", "MWh"), kFr));
  CHECK(!parse_energy_charts(energy_charts("0,900", "1,2", "EUR/GWh"), kFr));
  CHECK(!parse_energy_charts(energy_charts("0,900", "1,\"2\""), kFr));
  CHECK(!parse_energy_charts(energy_charts("0.5,900", "1,2"), kFr));
  CHECK(!parse_energy_charts(energy_charts("0,900", "1,1e300"), kFr));
  CHECK(!parse_energy_charts(energy_charts("0,99999999999999999999", "1,2"), kFr));
  CHECK(error_of(parse_energy_charts, energy_charts("", "")).code == ErrorCode::kNotFound);
}

TEST_CASE("aWATTar: milliseconds and units in any case") {
  const std::string good =
      "{\"object\":\"list\",\"data\":[" + awattar_entry(1'428'591'600'000, 42.09) + "," +
      awattar_entry(1'428'595'200'000, -3) + "],\"url\":\"/de/v1/marketdata\"}";
  check_refusals(parse_awattar, good);
  const auto series = parse_awattar(good, kFr);
  REQUIRE(series->slots.size() == 2);
  CHECK(series->slots[0].start_s == 1'428'591'600);
  CHECK(series->slots[0].end_s == 1'428'595'200);
  CHECK(series->slots[0].value == doctest::Approx(0.04209));
  CHECK(series->slots[1].value == doctest::Approx(-0.003));
  CHECK(!parse_awattar(
      "{\"data\":[" + awattar_entry(1000, 1) + "," + awattar_entry(3'601'000, 1, "USD/MWh") + "]}",
      kFr));
  CHECK(!parse_awattar("{\"data\":[" + awattar_entry(1500, 1) + "]}", kFr));
  CHECK(!parse_awattar("{\"data\":[" + awattar_entry(0, 1, "gCO2/kWh") + "]}", kFr));
  CHECK(error_of(parse_awattar, "{\"data\":[]}").code == ErrorCode::kNotFound);
}

TEST_CASE("Nord Pool: marked as unofficial, and preliminary until final") {
  const auto text = [](const char* state, const char* area = "FR") {
    return fmt::format(
        R"({{"deliveryDateCET":"2026-01-01","multiAreaEntries":[{{"deliveryStart":"2025-12-31T23:00:00Z",)"
        R"("deliveryEnd":"2025-12-31T23:15:00Z","entryPerArea":{{"{}":126.31}}}}],"currency":"EUR",)"
        R"("areaStates":[{{"state":"{}","areas":["FR"]}}]}})",
        area, state);
  };
  check_refusals(parse_nord_pool, text("Final"));
  const auto series = parse_nord_pool(text("Final"), kFr);
  CHECK(!series->info.official);
  CHECK(!series->info.preliminary);
  CHECK(series->slots.at(0) == Slot{kNewYear - 3600, kNewYear - 2700, 126.31 * 0.001});
  CHECK(parse_nord_pool(text("Preliminary"), kFr)->info.preliminary);
  CHECK(contains(error_of(parse_nord_pool, text("Final", "NL")).message, "\"FR\""));
}

TEST_CASE("ENTSO-E: what curve A03 leaves out is repeated, in the middle and at the end") {
  const std::string good = entsoe_document(entsoe_series(kFourHours));
  check_refusals(parse_entsoe, good);
  for (const char* version : {"7:0", "7:3"}) {
    const auto series = parse_entsoe(entsoe_document(entsoe_series(kFourHours), version), kFr);
    REQUIRE(series);
    REQUIRE(series->slots.size() == 4);
    CHECK(series->slots[0] == Slot{kNewYear, kNewYear + 3600, 0.01});
    CHECK(series->slots[1].value == doctest::Approx(0.02));
    CHECK(series->slots[2].value == doctest::Approx(0.02));
    CHECK(series->slots[3].value == doctest::Approx(-0.0012));
  }
  const auto trailing =
      parse_entsoe(entsoe_document(entsoe_series(entsoe_period(
                       "2026-01-01T00:00Z", "2026-01-02T00:00Z", "PT15M", {{1, 5}, {90, 7}}))),
                   kFr);
  REQUIRE(trailing);
  REQUIRE(trailing->slots.size() == 96);
  CHECK(trailing->slots[88].value == 0.005);
  CHECK(trailing->slots[89].value == 0.007);
  CHECK(trailing->slots[95].value == 0.007);
  CHECK(contains(error_of(parse_entsoe, entsoe_document(entsoe_series(kFourHours, "A01"))).message,
                 "position 3"));
  CHECK(!parse_entsoe(entsoe_document(entsoe_series(entsoe_period(
                          "2026-01-01T00:00Z", "2026-01-01T04:00Z", "PT60M", {{2, 1}}))),
                      kFr));
}

TEST_CASE("ENTSO-E: of several auctions the first, of several resolutions the finest") {
  const std::string second =
      entsoe_period("2026-01-01T00:00Z", "2026-01-01T04:00Z", "PT60M", {{1, 99}});
  const std::string quarters =
      entsoe_period("2026-01-01T01:00Z", "2026-01-01T02:00Z", "PT15M", {{1, 30}});
  auto series = parse_entsoe(
      entsoe_document(entsoe_series(second, "A03", "2") + entsoe_series(kFourHours, "A03", "1")),
      kFr);
  REQUIRE(series);
  CHECK(series->slots.size() == 4);
  CHECK(series->slots[0].value == 0.01);

  series = parse_entsoe(entsoe_document(entsoe_series(kFourHours) + entsoe_series(quarters)), kFr);
  REQUIRE(series);
  REQUIRE(series->slots.size() == 7);
  CHECK(series->slots[0].length_s() == 3600);
  CHECK(series->slots[1] == Slot{kNewYear + 3600, kNewYear + 4500, 0.03});
  CHECK(series->slots[5].value == doctest::Approx(0.02));
}

TEST_CASE("ENTSO-E: acknowledgements, wrong units, hostile documents") {
  const Error none = error_of(
      parse_entsoe,
      "<Acknowledgement_MarketDocument "
      "xmlns=\"urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0\"><Reason><code>999</"
      "code><text>No matching data found</text></Reason></Acknowledgement_MarketDocument>");
  CHECK(none.code == ErrorCode::kNotFound);
  CHECK(contains(none.message, "No matching data found (reason 999)"));
  CHECK(!parse_entsoe(entsoe_document(entsoe_series(kFourHours, "A03", "", "EURO")), kFr));
  CHECK(!parse_entsoe(
      entsoe_document(entsoe_series(kFourHours) + entsoe_series(kFourHours, "A03", "2", "PLN")),
      kFr));
  CHECK(!parse_entsoe(entsoe_document(entsoe_series(kFourHours, "A99")), kFr));
  CHECK(!parse_entsoe(entsoe_document(entsoe_series(kFourHours, "A03", "first")), kFr));
  CHECK(!parse_entsoe(entsoe_document(""), kFr));
  CHECK(!parse_entsoe(entsoe_document(entsoe_series(entsoe_period(
                          "2026-01-01T00:00Z", "2026-01-01T01:00Z", "P1Y", {{1, 1}}))),
                      kFr));
  CHECK(!parse_entsoe(entsoe_document(entsoe_series(entsoe_period(
                          "2026-01-01T00:00Z", "2199-01-01T01:00Z", "PT15M", {{1, 1}}))),
                      kFr));
  for (const int position : {0, -1, 5, 2'000'000'000}) {
    CHECK(!parse_entsoe(
        entsoe_document(entsoe_series(entsoe_period("2026-01-01T00:00Z", "2026-01-01T04:00Z",
                                                    "PT60M", {{1, 1}, {position, 2}}))),
        kFr));
  }
  std::string laughs = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY l0 \"ha\">";
  for (int i = 1; i < 10; ++i) {
    laughs += fmt::format("<!ENTITY l{} \"{}\">", i, fmt::format("&l{0};&l{0};&l{0};", i - 1));
  }
  CHECK(contains(error_of(parse_entsoe, laughs + "]><a>&l9;</a>").message, "entities"));
}

TEST_CASE("UK carbon: the actual figure, else the forecast; null is not 0") {
  const std::string good =
      R"({"data":[{"from":"2026-10-18T02:00Z","to":"2026-10-18T02:30Z","intensity":{"forecast":156,"actual":149,"index":"moderate"}},)"
      R"({"from":"2026-10-18T02:30Z","to":"2026-10-18T03:00Z","intensity":{"forecast":160,"actual":null,"index":"moderate"}},)"
      R"({"from":"2026-10-18T03:00Z","to":"2026-10-18T03:30Z","intensity":{"forecast":null,"actual":null,"index":null}}]})";
  check_refusals(parse_uk_carbon, good);
  const auto series = parse_uk_carbon(good, kFr);
  CHECK(series->info.quantity == Quantity::kCarbon);
  CHECK(series->info.basis == CarbonBasis::kAverage);
  CHECK(series->info.scope == CarbonScope::kDirect);
  REQUIRE(series->slots.size() == 2);
  CHECK(series->slots[0].value == 149);
  CHECK(series->slots[1].value == 160);

  const auto region = parse_uk_carbon(
      R"({"data":[{"regionid":3,"data":[{"from":"2026-10-18T02:00Z","to":"2026-10-18T02:30Z","intensity":{"forecast":7}}]}]})",
      kFr);
  REQUIRE(region);
  CHECK(region->slots.at(0).value == 7);
  CHECK(contains(
      error_of(parse_uk_carbon, R"({"error":{"code":"400","message":"bad date"}})").message,
      "bad date"));
}

TEST_CASE("Electricity Maps: one entry or a list, lifecycle kept apart from direct") {
  const auto entry = [](const char* time, const char* value, const char* type) {
    return fmt::format(
        R"({{"zone":"DE","carbonIntensity":{},"datetime":"{}","emissionFactorType":"{}","isEstimated":true,"temporalGranularity":"hourly"}})",
        value, time, type);
  };
  const std::string first = entry("2026-01-01T00:00:00.000Z", "241", "lifecycle");
  check_refusals(parse_electricity_maps, first);
  const auto latest = parse_electricity_maps(first, kFr);
  CHECK(latest->info.scope == CarbonScope::kLifecycle);
  CHECK(latest->info.preliminary);
  CHECK(latest->slots.at(0) == Slot{kNewYear, kNewYear + 3600, 241});

  const auto history =
      parse_electricity_maps("{\"zone\":\"DE\",\"history\":[" + first + "," +
                                 entry("2026-01-01T01:00:00.000Z", "null", "lifecycle") + "," +
                                 entry("2026-01-01T02:00:00.000Z", "0", "lifecycle") + "]}",
                             kFr);
  REQUIRE(history);
  REQUIRE(history->slots.size() == 2);
  CHECK(history->slots[1].value == 0);
  CHECK(
      parse_electricity_maps(
          R"({"zone":"DE","forecast":[{"carbonIntensity":5,"datetime":"2026-01-01T00:00:00.000Z"}]})",
          kFr)
          ->slots.at(0)
          .value == 5);
  CHECK(!parse_electricity_maps(
      "{\"history\":[" + first + "," + entry("2026-01-01T01:00:00.000Z", "1", "direct") + "]}",
      kFr));
  CHECK(contains(error_of(parse_electricity_maps, R"({"error":"Zone 'X' is unknown"})").message,
                 "unknown"));
}

TEST_CASE("WattTime: pounds per MWh become grams per kWh, marginal") {
  const auto text = [](const char* signal, const char* unit, const char* period) {
    return fmt::format(
        R"({{"data":[{{"point_time":"2026-01-01T00:00:00+00:00","value":1000.0,"version":"x"}}],)"
        R"("meta":{{"region":"CAISO_NORTH","units":"{}","signal_type":"{}","data_point_period_seconds":{}}}}})",
        unit, signal, period);
  };
  const std::string good = text("co2_moer", "lbs_co2_per_mwh", "300");
  check_refusals(parse_watttime, good);
  const auto series = parse_watttime(good, kFr);
  CHECK(series->info.basis == CarbonBasis::kMarginal);
  CHECK(series->slots.at(0).value == doctest::Approx(453.59237).epsilon(1e-12));
  CHECK(series->slots.at(0).length_s() == 300);
  CHECK(!parse_watttime(text("health_damage", "lbs_co2_per_mwh", "300"), kFr));
  CHECK(!parse_watttime(text("co2_moer", "percentile", "300"), kFr));
  for (const char* period : {"0", "-300", "1e400", "9007199254740000", "null"}) {
    CHECK(!parse_watttime(text("co2_moer", "lbs_co2_per_mwh", period), kFr));
  }
  const auto average = parse_watttime(text("co2_aoer", "lbs_co2_per_mwh", "300"), kFr);
  CHECK(!merge(*series, *average));
}

TEST_CASE("energidataservice: newest first, UTC without saying so, other areas left out") {
  const ParseContext dk{"DK1", 0};
  const auto series = parse_energidataservice(
      R"({"total":3,"dataset":"CO2EmisProg","records":[{"Minutes5UTC":"2026-01-01T00:05:00","PriceArea":"DK1","CO2Emission":91},)"
      R"({"Minutes5UTC":"2026-01-01T00:05:00","PriceArea":"DK2","CO2Emission":1},)"
      R"({"Minutes5UTC":"2026-01-01T00:00:00","PriceArea":"DK1","CO2Emission":90.5}]})",
      dk);
  REQUIRE(series);
  REQUIRE(series->slots.size() == 2);
  CHECK(series->slots[0] == Slot{kNewYear, kNewYear + 300, 90.5});
  const auto prices = parse_energidataservice(
      R"({"dataset":"DayAheadPrices","records":[{"TimeUTC":"2026-01-01T00:00:00","PriceArea":"DK1","DayAheadPriceEUR":-2.5,"DayAheadPriceDKK":-18}]})",
      dk);
  REQUIRE(prices);
  CHECK(prices->slots.at(0) == Slot{kNewYear, kNewYear + 900, -0.0025});
  const auto refuse = [&dk](const std::string& text) { CHECK(!parse_energidataservice(text, dk)); };
  refuse("");
  refuse("[]");
  refuse(R"({"dataset":"Wind","records":[]})");
  refuse(R"({"dataset":"CO2Emis","records":[1]})");
  refuse(
      R"({"dataset":"CO2Emis","records":[{"PriceArea":"DK1","Minutes5UTC":"yesterday","CO2Emission":1}]})");
  // Twice the same time
  refuse(
      R"({"dataset":"CO2Emis","records":[{"PriceArea":"DK1","Minutes5UTC":"2026-01-01T00:05:00","CO2Emission":1},{"PriceArea":"DK1","Minutes5UTC":"2026-01-01T00:05:00","CO2Emission":2}]})");
}
