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
stage-cards = Cards
stage-customers = Customers
stage-opening_balances = Opening balances
stage-purchases = Purchases
stage-products = Products
stage-points = Points
stage-identities = Persons and organizations
stage-quotes = Quotes
stage-invoices = Invoices
stage-contacts = Contacts

# The way a source let itself be read, where that was not the usual one
way-unordered = read without an order, which the source refused
way-unfiltered = read whole and chosen here, because the source refused the condition
way-listed = read one by one from the list of names, because the source refused to be searched
way-unordered_unfiltered = read whole, without an order, and chosen here: the source refused both

reject-no_key = no key
reject-not_an_object = not an object
reject-amount_not_exact = amount cannot be kept exactly
reject-amount_too_large = amount larger than any real one
reject-bad_date = not a date
reject-no_details = listed, but not to be had
reject-bad_uid = not a client number
reject-no_amount = no amount

exclude-folder = a folder
exclude-inactive = an inactive row, which does not count
exclude-before_window = before the days that were asked for
exclude-system_user = a user of the system itself, not a customer
exclude-no_card = without a card
exclude-opening_balance = an opening balance, which is read by itself
exclude-other_document = not an opening balance

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

run-source-moved = { $system }/{ $stream }: the list changed while it was being read, three times over. Read it again at a quieter moment.
run-rows-missing = { $system }/{ $stream }: { $missing } rows that the source counts did not come, in { $passes } passes. Nothing was deleted. Read it again; if it stays, the source's own count is wrong.
run-sums-differ = { $system }/{ $stream }: the sums of what came differ from the source's own totals: { $difference }. Read it again; if it stays, ask the source.
run-too-many-rejected = { $system }/{ $stream }, page { $page }: { $rejected } of { $rows } rows cannot be stored ({ $rule }). The source seems to have changed its form; the page was not stored.
run-field-lost = { $system }/{ $stream }, page { $page }: the field { $field } is missing from every row that had it before. The source seems to have changed its form; the page was not stored.
run-broke = { $system }: Concord itself failed: { $problem }
schedule-skipped = { $system }: a scheduled run was skipped because the one before it was still under way.
system-paused-logins = { $system } is paused: its login was refused three times. Correct login and password, then `concord unpause { $system }`.
system-paused-by-hand = { $system } was paused by a person.
system-is-paused = { $system } is paused.
    .help = Let it be read again with “Unpause” on its line of the overview, or with `concord unpause { $system }`.
run-no-keys = Rows of { $stream } cannot be asked for one by one.
