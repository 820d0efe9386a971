# What people are told by mail and webhook. { $name } is a system or a flow.
alert-subject = Concord: { $text }
alert-system-well = { $name } is well again.
alert-system-failing = { $name }: the last run failed. The page of runs says why.
alert-system-stopped = { $name } has been paused: its logins were refused. Correct them in concord.toml, then unpause it.
alert-system-behind = { $name } was not read when it should have been.
alert-system-incomplete = { $name } is not in agreement with its source: the last run is incomplete.
alert-system-waiting = { $name } has cases that have waited for a person for more than a day.
alert-flow-well = Flow { $name } is well again.
alert-flow-failing = Flow { $name }: writes were refused or given up. Deliveries say why.
alert-flow-stopped = Flow { $name } has stopped.
alert-flow-behind = Flow { $name } is behind: a change has waited to be written for more than an hour.
alert-flow-incomplete = Flow { $name } is not in agreement.
alert-flow-waiting = Flow { $name } has cases that have waited for a person for more than a day.
alert-not-posted = The webhook of [alerts] at { $host } could not be told: { $problem }.
alert-not-mailed = The mail of [alerts] could not be sent: { $problem }.
