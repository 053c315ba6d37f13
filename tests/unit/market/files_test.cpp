// SPDX-License-Identifier: Apache-2.0
//
// Files with the wall clock's labels: every day as long as it was, and no row out of place.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "market/parsers.hpp"
#include "support/text.hpp"

using namespace powertrace;

namespace {

using powertrace::test::contains;

constexpr std::int64_t kQuarterHour = 900;
const ParseContext kFrance{"FR", 0};

TimeZone zone(const char* name) {
  auto found = TimeZone::find(name);
  REQUIRE(found);
  return *found;
}

// The labels of a day as a market prints them: 24:00 at the end, the clock as people see it.
std::vector<std::string> labels(const TimeZone& zone, const Date& date) {
  std::vector<std::string> all;
  for (std::int64_t at = day_start(zone, date); at < day_start(zone, add_days(date, 1));
       at += kQuarterHour) {
    const int begin = local_time(zone, at).minute;
    const int end = begin + 15;
    all.push_back(
        fmt::format("{:02}:{:02}-{:02}:{:02}", begin / 60, begin % 60, end / 60, end % 60));
  }
  return all;
}

std::string csv(const std::vector<std::string>& rows) {
  std::string text = "Period,Volume (MWh),Price (\u20AC/MWh)\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("{},{:.1f},{:.2f}\n", rows[i], 60.0 + static_cast<double>(i),
                        static_cast<double>(i) - 3);
  }
  return text;
}

struct Page {
  std::string heading = "Auction > Intraday > IDA1 > FR > 09 October 2025";
  std::vector<std::string> headers = {"Buy Volume (MWh)", "Sell Volume (MWh)", "Volume (MWh)",
                                      "Price (\u20AC/MWh)"};
  std::vector<std::string> times;
  std::vector<std::vector<std::string>> rows;
  std::string item_class = "child";

  [[nodiscard]] std::string text() const {
    std::string html = "<!DOCTYPE html><html><body><div class=\"table-container\"><h2>" + heading +
                       "</h2><div class=\"fixed-column js-table-times\"><ul>";
    for (const std::string& time : times) {
      html += "<li class=\"" + item_class + " impair\"><a href=\"#\">" + time + "</a></li>";
    }
    html += "</ul></div><div class=\"js-table-values\"><table class=\"table-01\"><thead><tr>";
    for (const std::string& header : headers) {
      html += "<th>" + header + "</th>";
    }
    html += "</tr></thead><tbody>";
    for (const auto& row : rows) {
      html += "<tr class=\"child impair\">";
      for (const std::string& cell : row) {
        html += "<td>" + cell + "</td>";
      }
      html += "</tr>";
    }
    return html + "</tbody></table></div></div></body></html>";
  }
};

Page good_page() {
  Page page;
  page.times = labels(zone("Europe/Paris"), {2025, 10, 9});
  for (std::size_t i = 0; i < page.times.size(); ++i) {
    page.rows.push_back({"1.0", "2.0", fmt::format("{}", 100 + i), fmt::format("{}.5", i)});
  }
  return page;
}

}  // namespace

TEST_CASE("Days have 92, 96 and 100 quarters by the wall clock") {
  for (const char* name : {"Europe/Paris", "Europe/Berlin"}) {
    const TimeZone local = zone(name);
    for (const auto& [date, count] :
         {std::pair{Date{2026, 3, 29}, 92U}, {Date{2026, 10, 25}, 100U}, {Date{2026, 6, 1}, 96U}}) {
      const auto rows = labels(local, date);
      REQUIRE(rows.size() == count);
      CHECK(rows.back() == "23:45-24:00");
      const auto ranges = match_day_labels(local, date, rows);
      REQUIRE(ranges);
      CHECK(ranges->front().start_s == day_start(local, date));
      CHECK(ranges->back().end_s == day_start(local, add_days(date, 1)));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(format_local(local, (*ranges)[i].start_s).substr(11) == rows[i].substr(0, 5));
      }
    }
    // The 25th hour: the same label twice, an hour apart.
    const auto autumn = labels(local, {2026, 10, 25});
    CHECK(autumn[8] == "02:00-02:15");
    CHECK(autumn[12] == "02:00-02:15");
  }
}

TEST_CASE("Labels that do not fit the day are refused with the row") {
  const TimeZone paris = zone("Europe/Paris");
  const Date date{2026, 6, 1};
  const auto message = [&](const Date& day, std::vector<std::string> rows) {
    const auto ranges = match_day_labels(paris, day, rows);
    REQUIRE(!ranges);
    return ranges.error().message;
  };
  auto rows = labels(paris, date);
  rows.erase(rows.begin() + 40);
  CHECK(contains(message(date, rows), "row 41"));
  rows = labels(paris, date);
  rows.pop_back();
  CHECK(contains(message(date, rows), "lasts longer"));
  rows = labels(paris, date);
  rows.push_back("00:00-00:15");
  CHECK(contains(message(date, rows), "ended"));
  // A usual day's rows are no spring day's and no autumn day's.
  rows = labels(paris, date);
  CHECK(contains(message({2026, 3, 29}, rows), "row 9"));
  CHECK(contains(message({2026, 10, 25}, rows), "row 13"));
  for (const char* bad :
       {"", "x", "00:00", "00:00-", "24:00-24:15", "00:15-00:00", "00:00-00:75"}) {
    CHECK(!match_day_labels(paris, date, std::vector<std::string>{bad}));
  }
  CHECK(!match_day_labels(paris, date, std::vector<std::string>{}));
  CHECK(match_day_labels(paris, date, std::vector<std::string>{"00:00-24:00"}));
}

TEST_CASE("The power manager's day files, with the last quarter of the day") {
  const TimeZone paris = zone("Europe/Paris");
  for (const Date& date : {Date{2026, 6, 1}, Date{2026, 3, 29}, Date{2026, 10, 25}}) {
    const auto rows = labels(paris, date);
    const auto all = parse_period_csv(csv(rows), paris, date, kFrance);
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    const Series& price = all->at(0);
    const Series& volume = all->at(1);
    CHECK(unit_of(price.info) == "EUR/kWh");
    CHECK(unit_of(volume.info) == "MWh");
    REQUIRE(price.slots.size() == rows.size());
    CHECK(price.slots[0].value == doctest::Approx(-0.003));
    CHECK(volume.slots[5].value == 65);
    const std::int64_t last = day_start(paris, add_days(date, 1)) - 1;
    REQUIRE(price.at(last) != nullptr);
    CHECK(price.at(last)->value == doctest::Approx((static_cast<double>(rows.size()) - 4) / 1000));
    CHECK(price.at(last + 1) == nullptr);
  }
}

TEST_CASE("Damaged day files are refused, empty cells are no value") {
  const TimeZone paris = zone("Europe/Paris");
  const Date date{2026, 6, 1};
  const auto rows = labels(paris, date);
  const std::string good = csv(rows);
  const auto parse = [&](const std::string& text) {
    return parse_period_csv(text, paris, date, kFrance);
  };
  std::string text = good;
  text.replace(text.find(",60.0,"), 6, ",,");
  REQUIRE(parse(text));
  CHECK(parse(text)->at(1).slots.size() == 95);
  CHECK(parse(text)->at(1).slots[0].value == 61);  // not shifted
  CHECK(parse(text)->at(1).slots[0].start_s == day_start(paris, date) + kQuarterHour);

  for (std::size_t length = 0; length + 2 < good.size(); length += 13) {
    CHECK(!parse(good.substr(0, length)));
  }
  CHECK(!parse("Period,Price (EUR/GWh)\n"));
  CHECK(!parse("Period,Volume (\u20AC/MWh),Price (MWh)\n00:00-24:00,1,2\n"));
  CHECK(!parse("a,b,c\n1,2,3\n"));
  CHECK(!parse(std::string(1000, ',')));
  text = good;
  text.replace(text.find(",61.0,"), 6, ",61.0,7,");
  CHECK(contains(parse(text).error().message, "line 3 has 4 columns"));
  text = good;
  text.replace(text.find(",61.0,"), 6, ",6l.0,");
  CHECK(contains(parse(text).error().message, "6l.0"));
}

TEST_CASE("ISO times in a file") {
  const auto good = parse_time_csv(
      "start,end,price,unit\n2026-03-29T01:00:00+01:00,2026-03-29T00:15:00Z,10.5,EUR/MWh\n"
      "2026-03-29T00:15:00Z,2026-03-29T00:30:00Z,,EUR/MWh\n"
      "2026-03-29T00:30:00Z,2026-03-29T01:30:00Z,-1,EUR/MWh\n",
      kFrance);
  REQUIRE(good);
  REQUIRE(good->at(0).slots.size() == 2);
  CHECK(good->at(0).slots[0].value == 0.0105);
  CHECK(good->at(0).slots[1].length_s() == 3600);
  const auto carbon = parse_time_csv(
      "start;end;carbon;unit\n2026-03-29T00:15:00Z;2026-03-29T00:30:00Z;300;gCO2/kWh\n", kFrance);
  REQUIRE(carbon);
  CHECK(carbon->at(0).info.quantity == Quantity::kCarbon);
  for (const char* bad :
       {"start,end,price,unit\n", "start,end,price\n1,2,3\n", "start,end,unit\nx,y,EUR/MWh\n",
        "start,end,price,unit\n2026-03-29T00:15:00,2026-03-29T00:30:00,1,EUR/MWh\n",
        "start,end,price,unit\n2026-03-29T00:15:00Z,2026-03-29T00:30:00Z,1,gCO2/kWh\n",
        // Two rows. NOLINTNEXTLINE(bugprone-suspicious-missing-comma)
        "start,end,price,unit\n2026-03-29T00:15:00Z,2026-03-29T00:30:00Z,1,EUR/MWh\n"
        "2026-03-29T00:30:00Z,2026-03-29T00:45:00Z,1,EUR/kWh\n",
        "start,end,price,unit\n2026-02-30T00:15:00Z,2026-03-29T00:30:00Z,1,EUR/MWh\n",
        "start,end,price,unit\n\"2026-03-29T00:15:00Z,2026-03-29T00:30:00Z,1,EUR/MWh\n"}) {
    CHECK_MESSAGE(!parse_time_csv(bad, kFrance), bad);
  }
}

TEST_CASE("A saved result page: exact values in their places") {
  Page page = good_page();
  page.rows[1][2] = "1,068.2";
  page.rows[2][3] = "-12.25";
  page.rows[3] = {"", "", "", ""};
  page.rows[4][3] = "-";
  const auto all = parse_epex_page(page.text(), kFrance);
  REQUIRE(all);
  const Series& price = all->at(0);
  const Series& volume = all->at(1);
  const std::int64_t start = day_start(zone("Europe/Paris"), {2025, 10, 9});
  CHECK(price.info.area == "FR");
  CHECK(price.info.currency == "EUR");
  CHECK(price.slots.size() == 94);
  CHECK(price.at(start)->value == 0.0005);
  CHECK(volume.at(start + kQuarterHour)->value == 1068.2);
  CHECK(price.at(start + 2 * kQuarterHour)->value == doctest::Approx(-0.01225));
  CHECK(price.at(start + 3 * kQuarterHour) == nullptr);
  CHECK(price.at(start + 5 * kQuarterHour)->value == doctest::Approx(0.0055));
  CHECK(price.at(start + 95 * kQuarterHour)->value == doctest::Approx(0.0955));
}

TEST_CASE("A saved result page: columns go by their headers") {
  Page page = good_page();
  page.heading = "Continuous > 15min > DE > 9 October 2025";
  page.headers = {"Low",     "High",    "Last",     "Weight Avg. (\u20AC/MWh)",
                  "ID Full", "Buy Vol", "Sell Vol", "Volume (MWh)"};
  for (auto& row : page.rows) {
    row = {"1", "2", "3", "44.5", "5", "6", "7", "88"};
  }
  page.item_class = "child no-children lvl-2";
  const auto all = parse_epex_page(page.text(), kFrance);
  REQUIRE(all);
  CHECK(all->at(0).info.area == "DE");
  CHECK(all->at(0).slots[7].value == doctest::Approx(0.0445));
  CHECK(all->at(1).slots[7].value == 88);
}

TEST_CASE("A saved result page: nothing is shifted, what does not fit is refused") {
  const auto message = [](const Page& page) {
    const auto all = parse_epex_page(page.text(), kFrance);
    REQUIRE(!all);
    return all.error().message;
  };
  Page page = good_page();
  page.rows[5].pop_back();
  CHECK(contains(message(page), "row 6 has 3 cells"));
  page = good_page();
  for (auto& row : page.rows) {
    row.push_back("5");
  }
  CHECK(contains(message(page), "5 cells, the header has 4"));
  page = good_page();
  page.rows.pop_back();
  CHECK(contains(message(page), "96 periods but 95 rows"));
  page = good_page();
  page.times.resize(92);
  page.rows.resize(92);
  CHECK(contains(message(page), "lasts longer"));
  page = good_page();
  page.heading = "Auction > Intraday > IDA1 > FR > 29 March 2026";
  CHECK(contains(message(page), "row 9"));
  page.heading = "Auction > Intraday > IDA1 > XX > 09 October 2025";
  CHECK(contains(message(page), "\"XX\" is unknown"));
  page = good_page();
  page.headers[3] = "Precio";
  CHECK(contains(message(page), "no column"));
  page = good_page();
  page.headers[3] = "Price (USD/GWh)";
  CHECK(!parse_epex_page(page.text(), kFrance));
  page = good_page();
  page.rows[0][3] = "<b>12</b>x";
  CHECK(!parse_epex_page(page.text(), kFrance));
  const auto challenge = parse_epex_page(
      "<html><head><script>challenge()</script></head><body>Human verification</body></html>",
      kFrance);
  REQUIRE(!challenge);
  CHECK(contains(challenge.error().message, "save the page"));

  const std::string good = good_page().text();
  for (std::size_t length = 0; length + 60 < good.size(); length += 97) {
    CHECK(!parse_epex_page(good.substr(0, length), kFrance));
  }
  std::string deep = "<table>";
  for (int i = 0; i < 50'000; ++i) {
    deep += "<div>";
  }
  CHECK(!parse_epex_page(deep, kFrance));
}

TEST_CASE("Dates, times and zones as people write them") {
  CHECK(*parse_time("2026-05-03T22:00:00Z") == *parse_time("2026-05-04T00:00:00.250+02:00"));
  CHECK(*parse_time("1970-01-01T00:00Z") == 0);
  CHECK(*parse_time("2026-05-03 22:00:00", true) == *parse_time("2026-05-03T22:00Z"));
  CHECK(*parse_time("2026-05-03T22:00-0130") == *parse_time("2026-05-03T23:30Z"));
  for (const char* bad : {"", "2026", "2026-13-01T00:00Z", "2026-01-01T24:00Z", "2026-01-01T00:60Z",
                          "2026-01-01T00:00ZZ", "2026-01-01T00:00+99:00", "2026-01-01T00:00:00."}) {
    CHECK(!parse_time(bad));
  }
  CHECK(!parse_time("2026-01-01T00:00"));
  CHECK(format_time(*parse_time("2026-05-03T22:07:09Z")) == "2026-05-03T22:07:09Z");
  CHECK(!parse_date("2026-02-29"));
  CHECK(add_days({2026, 2, 28}, 1) == Date{2026, 3, 1});
  CHECK(!TimeZone::find("Europe/Atlantis"));
  CHECK(!TimeZone::find("../../etc/passwd"));
  CHECK(!TimeZone::find(""));
  const LocalTime time = local_time(zone("Europe/Paris"), *parse_time("2026-03-29T01:00:00Z"));
  CHECK(time.minute == 180);
  CHECK(time.weekday == 6);
  CHECK(time.offset_s == 7200);
}
