# Exports, and what the API says beyond the pages.

export-sheet = Customers
export-name = Name
export-phone = Phone
export-city = City
export-points = Points
export-purchases = Purchases
export-spent = Spent
export-last-purchase = Last purchase
export-client-uid = Client UID
export-client-account = Client account
export-country = Country
export-status = Status
export-reward-usd = Reward (USD)
export-rebate-usd = Rebate (USD)
export-owner = Owner
export-partner-account = Partner account
export-account-type = Account type
export-currency = Currency
export-lots = Lots
export-reward = Reward (account currency)

api-docs-title = Concord API
api-wrong-method = This address does not take that method
api-bad-query = The query cannot be read: { $detail }
api-bad-body = The body cannot be read: { $detail }
api-bad-value = { $name } cannot be “{ $value }”
api-bad-limit = limit must be between 1 and { $largest }
api-bad-cursor = This cursor does not belong to this list; start again without one
api-unknown-system = There is no system { $system }, or it is switched off
api-unknown-field = Nothing is known of the origin of { $field }; known are { $known }
api-run-over = Run { $run } is over already
api-run-not-resumable = Run { $run } cannot be taken up again: it was not stopped, or a later run of the system has replaced it
api-delivery-needs-ref = Delivery { $delivery } made something new: say what, with its key as ref
api-not-ready = Not ready yet; try again in a few seconds
api-no-onec = No 1C system is configured
api-onec-started = Full synchronization started
