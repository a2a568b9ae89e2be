-- SPDX-License-Identifier: Apache-2.0
-- What pipelines/file_tier.conf does to an entry, and the alert of a SYSTEM_ERROR.
function payment(tag, timestamp, record)
  local user, context = record.userId, record.context
  if #user >= 6 then record.userId = string.gsub(user, "^(...).*(...)$", "%1***%2") end
  local duration = context.duration_ms
  if duration then
    record.performance_tier = duration > 1000 and "SLOW" or duration > 500 and "MEDIUM" or "FAST"
  end
  if record.level == "ERROR" then
    record.error_category = context.error_code and "BUSINESS_ERROR" or "SYSTEM_ERROR"
  end
  return 2, timestamp, record
end

function alert(tag, timestamp, record)
  local body = '{"alerts":[{"labels":{"alertname":"SystemError","service":"' .. record.service ..
    '","severity":"critical"},"annotations":{"summary":"System error detected","description":"' ..
    record.requestId .. '"}}]}'
  return 2, timestamp, { body = body, headers = { ["Content-Type"] = "application/json" } }
end
