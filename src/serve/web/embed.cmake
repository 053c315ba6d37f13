# SPDX-License-Identifier: Apache-2.0
# The files of the web page as string constants: cmake -DDIR=... -DOUTPUT=... -P embed.cmake
set(text "// Made by embed.cmake from src/serve/web.\n#pragma once\n#include <string_view>\n\nnamespace powertrace::web {\n")
foreach(pair IN ITEMS kCommonStyle=common.css kCommonScript=common.js kPage=page.html kStyle=page.css kScript=page.js kCostPage=cost.html
             kCostStyle=cost.css kCostScript=cost.js)
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 name)
  list(GET pair 1 file)
  file(READ ${DIR}/${file} content)
  string(APPEND text "inline constexpr std::string_view ${name} = R\"~~~(${content})~~~\";\n")
endforeach()
string(APPEND text "}  // namespace powertrace::web\n")
file(WRITE ${OUTPUT} "${text}")
