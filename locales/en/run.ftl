# Runs: what became of rows, states, lists, reasons. Keys end in the word that is stored.

disposition-created = created
disposition-updated = updated
disposition-unchanged = unchanged
disposition-duplicate = duplicate
disposition-excluded = excluded
disposition-rejected = rejected

run-status-queued = queued
run-status-running = running
run-status-succeeded = succeeded
run-status-incomplete = incomplete
run-status-failed = failed
run-status-cancelled = cancelled

stage-clients = Clients
stage-accounts = Accounts
stage-traders = Traders

reject-no_key = no key
reject-not_an_object = not an object
reject-amount_not_exact = amount cannot be kept exactly
reject-amount_too_large = amount larger than any real one
reject-bad_date = not a date
reject-bad_uid = not a client number

owner-rule-whole_system = the whole system
owner-rule-map = partner account or campaign on the owner map
owner-rule-system = owner set on the system
owner-rule-none = no rule
owner-ham-xm = { $owner } (incl. XM)
owner-unknown = Unknown

count-accounts = { $n ->
    [one] { $n } account
   *[other] { $n } accounts
}
count-clients = { $n ->
    [one] { $n } client
   *[other] { $n } clients
}
