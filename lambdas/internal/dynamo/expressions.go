package dynamo

import "regexp"

// The expressions of the store. A name such as #used stands for the attribute
// of that name; names that belong to a period are bound to it.
const (
	absent = `attribute_not_exists(#pk)`

	admitCounters = `SET #used = if_not_exists(#used, :zero) + :one, #held = if_not_exists(#held, :zero) + :est, #tokens = if_not_exists(#tokens, :zero) + :zero, #inFlight = if_not_exists(#inFlight, :zero) + :one, #openShard = :shard, #openSince = if_not_exists(#openSince, :now), #v = :one`
	admitGroups   = `, #groups = :groups`
	admitCost     = `, #heldCost = if_not_exists(#heldCost, :zero) + :estCost, #cost = if_not_exists(#cost, :zero) + :zero`
	admitOpen     = ` ADD #open :open`
	idleRate      = `, #tat = :nextTat`
	busyRate      = `, #tat = #tat + :interval`

	underRequests = `(attribute_not_exists(#used) OR #used < :maxRequests)`
	underTokens   = `(attribute_not_exists(#held) OR #held <= :maxTokensMinusEst)`
	underBudget   = `(attribute_not_exists(#heldCost) OR #heldCost <= :budgetMinusEst)`
	underCap      = `(attribute_not_exists(#inFlight) OR #inFlight < :cap)`
	isIdle        = `(attribute_not_exists(#tat) OR #tat <= :now)`
	isBusy        = `#tat > :now AND #tat <= :horizon`

	keepSet     = `SET #kept = :true`
	neverSeen   = `#status = :queued AND #attempt = :zero`
	notKept     = neverSeen + ` AND attribute_not_exists(#kept)`
	takeBackSet = `SET #held = #held - :est, #used = #used - :one, #inFlight = #inFlight - :one`
	refundCost  = `, #heldCost = #heldCost - :estCost`

	forgetMonth = `REMOVE #used, #tokens, #held, #cost, #heldCost, #unanswered`
	closeMonth  = `REMOVE #held, #heldCost`
	isClosed    = `attribute_not_exists(#held) OR (` + isSettled + `)`
	isSettled   = `#held = #tokens AND (attribute_not_exists(#heldCost) OR #heldCost = #cost)`

	settleCounters  = `SET #held = #held + :delta, #tokens = #tokens + :charge, #inFlight = #inFlight - :one, #used = #used - :refund`
	settleCost      = `, #heldCost = #heldCost + :costDelta, #cost = #cost + :cost`
	countUnanswered = `, #unanswered = if_not_exists(#unanswered, :zero) + :one`
	leaveIndex      = `REMOVE #openShard, #openSince`
	settleOpen      = ` DELETE #open :ids`
	isOpen          = `contains(#open, :id)`
	isLastOpen      = isOpen + ` AND #inFlight = :one`
	hasNoneOpen     = `#inFlight = :zero`
	countSpending   = `SET #v = :one ADD #spent :cost`

	openLongest = `#openShard = :shard AND #openSince < :before`

	unowned = `#status = :queued OR (#status = :streaming AND #leaseUntil < :stale)`

	claimSet  = `SET #status = :streaming, #attempt = #attempt + :one, #owner = :owner, #leaseUntil = :lease, #calls = if_not_exists(#calls, :zero) + :one, #firstClaimAt = if_not_exists(#firstClaimAt, :now), #updatedAt = :now`
	claimable = `#attempt < #attemptCap AND (attribute_not_exists(#calls) OR #calls < #attemptCap) AND attribute_not_exists(#cancel) AND #createdAt >= :oldest AND (` + unowned + `)`

	owned      = `#status = :streaming AND #attempt = :attempt AND #owner = :owner`
	renewSet   = `SET #leaseUntil = :lease`
	callSet    = `SET #calls = #calls + :one`
	mayCall    = owned + ` AND #calls < #attemptCap`
	releaseSet = `SET #status = :queued, #leaseUntil = :zero, #updatedAt = :now`

	finishSet     = `SET #status = :status, #endSeq = :endSeq, #leaseUntil = :zero, #updatedAt = :now, #expiresAt = :expires`
	endUnownedSet = `SET #status = :status, #attempt = #attempt + :one, #endSeq = :zero, #leaseUntil = :zero, #updatedAt = :now, #expiresAt = :expires`
	setStopReason = `, #stopReason = :stopReason`
	setErrorCode  = `, #errCode = :errCode`
	setFinal      = `, #final = :true`
	setUsage      = `, #usageIn = :usageIn, #usageOut = :usageOut, #usageEst = :usageEst`
	setCacheUsage = `, #usageRead = :usageRead, #usageWrite = :usageWrite`

	cancelSet   = `SET #cancel = :true`
	isStreaming = `#status = :streaming`

	resendSet = `SET #resendAt = :next`
	resendDue = `(#status = :queued OR #status = :streaming) AND (attribute_not_exists(#resendAt) OR #resendAt < :now)`

	freeSlot = `attribute_not_exists(#pk) OR #expiresAt <= :nowSeconds`
	ownerSet = `SET #groups = :groups, #v = :one`
	isKey    = `#keyId = :keyId`

	countUpload = `SET #v = :one, #expiresAt = :expires ADD #uploads :one`
	mayUpload   = `attribute_not_exists(#uploads) OR #uploads < :most`

	connectedBefore  = `#connectedAt < :before`
	liveConnections  = `#expiresAt > :now`
	partition        = `#pk = :pk`
	rangeOfPartition = `#pk = :pk AND #sk BETWEEN :from AND :to`
	itemsWithPrefix  = `#pk = :pk AND begins_with(#sk, :prefix)`
	isAccount        = `#sk = :account`
)

var (
	aliasPattern = regexp.MustCompile(`#[A-Za-z]+`)
	valuePattern = regexp.MustCompile(`:[A-Za-z]+`)
)

// bind returns the names and values that the expressions mention: DynamoDB
// refuses those it does not need. Names of a period's attributes are bound to
// it.
func bind(period string, all item, expressions ...string) (names map[string]string, values item) {
	names = map[string]string{}
	for _, e := range expressions {
		for _, alias := range aliasPattern.FindAllString(e, -1) {
			names[alias] = attributeName(alias[1:], period)
		}
		for _, v := range valuePattern.FindAllString(e, -1) {
			if values == nil {
				values = item{}
			}
			values[v] = all[v]
		}
	}
	return names, values
}

func attributeName(alias, period string) string {
	switch alias {
	case "used", "tokens", "held", "cost", "heldCost", "unanswered":
		return alias + "#" + period
	default:
		return alias
	}
}
