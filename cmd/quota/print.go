package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
)

// printer writes results as a table or as JSON.
type printer struct {
	w    io.Writer
	json bool
}

// print writes v as JSON, or the rows under the head; without rows, the sentence
// that says why there are none.
func (p printer) print(v any, head []string, rows [][]string, none string) error {
	if p.json {
		encoder := json.NewEncoder(p.w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(p.w, none)
		return err
	}
	table := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

func (p printer) status(s operator.Status) error {
	rows := [][]string{
		{"e-mail", s.Email},
		{"groups", strings.Join(s.Groups, ", ")},
		{"tier", s.Usage.Tier},
		{"period", s.Usage.Period + ", until " + s.Usage.ResetsAt},
		{"requests", strconv.FormatInt(s.Usage.Requests.Used, 10) + " of " + limit(s.Usage.Requests.Limit)},
		{"tokens", strconv.FormatInt(s.Usage.Tokens.Used, 10) + " of " + limit(s.Usage.Tokens.Limit) + ", " + strconv.FormatInt(s.Usage.Tokens.Reserved, 10) + " reserved"},
		{"budget", budget(s.Usage.Budget)},
		{"open", strings.Join(s.Open, ", ")},
	}
	if o := s.Override; o != nil {
		rows = append(rows, []string{"override", override(*o)})
	}
	if g := s.Grant; g != nil {
		rows = append(rows, []string{"grant", grantOf(*g)})
	}
	switch s.BlockedUntil {
	case "":
	case operator.Forever.Format(time.RFC3339):
		rows = append(rows, []string{"blocked", "for good"})
	default:
		rows = append(rows, []string{"blocked", "until " + s.BlockedUntil})
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
	return p.print(s, []string{"user", s.UserID}, rows, "")
}

// budget describes the money of a month; "" where nothing has a price.
func budget(b *protocol.BudgetUsage) string {
	if b == nil {
		return ""
	}
	return "$" + b.Used.String() + " of " + amount(b.Limit) + ", $" + b.Reserved.String() + " reserved"
}

func amount(limit *protocol.USD) string {
	if limit == nil {
		return "unlimited"
	}
	return "$" + limit.String()
}

func override(o operator.Override) string {
	var parts []string
	if o.Tier != "" {
		parts = append(parts, "tier "+o.Tier)
	}
	if o.MonthlyRequests != nil {
		parts = append(parts, "requests "+limit(zeroIsNone(o.MonthlyRequests)))
	}
	if o.MonthlyTokens != nil {
		parts = append(parts, "tokens "+limit(zeroIsNone(o.MonthlyTokens)))
	}
	if o.MonthlyBudget != nil {
		parts = append(parts, "budget "+amount(zeroIsNone(o.MonthlyBudget)))
	}
	return strings.Join(parts, ", ")
}

// grantOf describes what a grant adds.
func grantOf(g operator.Grant) string {
	var parts []string
	if g.Requests != 0 {
		parts = append(parts, counted(g.Requests, "request"))
	}
	if g.Tokens != 0 {
		parts = append(parts, counted(g.Tokens, "token"))
	}
	if g.Budget != 0 {
		parts = append(parts, "$"+g.Budget.String())
	}
	return strings.Join(parts, ", ") + " until " + g.Until
}

// counted writes a number with what it counts.
func counted[N ~int | ~int64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func zeroIsNone[N ~int64](n *N) *N {
	if *n == 0 {
		return nil
	}
	return n
}

func limit(n *int64) string {
	if n == nil {
		return "unlimited"
	}
	return strconv.FormatInt(*n, 10)
}

// noAccounts says why a report of all users is empty.
const noAccounts = "no user has sent a request yet: an account begins with the first"

func (p printer) statuses(all []operator.Status, near percentage) error {
	none := noAccounts
	if near > 0 {
		none = fmt.Sprintf("no user has used %v %% of a limit", float64(near))
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{
			s.UserID, s.Email, s.Usage.Tier, fmt.Sprintf("%.0f%%", 100*s.Fraction()),
			strconv.FormatInt(s.Usage.Requests.Used, 10) + "/" + limit(s.Usage.Requests.Limit),
			strconv.FormatInt(s.Usage.Tokens.Used+s.Usage.Tokens.Reserved, 10) + "/" + limit(s.Usage.Tokens.Limit), "",
		}
		if b := s.Usage.Budget; b != nil {
			rows[i][6] = "$" + (b.Used + b.Reserved).String() + "/" + amount(b.Limit)
		}
	}
	return p.print(all, []string{"USER", "E-MAIL", "TIER", "USED", "REQUESTS", "TOKENS", "BUDGET"}, rows, none)
}

func (p printer) entries(all []operator.Entry, period string) error {
	none := noAccounts
	if period != "" {
		none = "no user has sent a request in " + period
	}
	rows := make([][]string, len(all))
	for i, e := range all {
		rows[i] = []string{e.Period, e.UserID, strconv.FormatInt(e.Requests, 10), strconv.FormatInt(e.Tokens, 10), strconv.FormatInt(e.Reserved, 10), e.Cost.String(), e.ReservedCost.String()}
	}
	return p.print(all, []string{"PERIOD", "USER", "REQUESTS", "TOKENS", "RESERVED", "COST", "RESERVED COST"}, rows, none)
}

func (p printer) records(all []operator.Record, user string) error {
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{r.CreatedAt, r.RequestID, string(r.Status), strconv.Itoa(r.Attempts), strconv.FormatInt(r.Tokens, 10), r.Cost.String(), r.Model, string(r.Error)}
	}
	return p.print(all, []string{"CREATED", "REQUEST", "STATUS", "ATTEMPTS", "TOKENS", "COST", "MODEL", "ERROR"}, rows, user+" has sent no request that is still recorded")
}

func (p printer) keys(all []operator.Key, user string) error {
	rows := make([][]string, len(all))
	for i, k := range all {
		rows[i] = []string{k.KeyID, k.CreatedAt, k.ExpiresAt, k.Name}
	}
	return p.print(all, []string{"KEY", "CREATED", "EXPIRES", "NAME"}, rows, user+" has no personal key")
}

func (p printer) drifts(all []operator.Drift, users int) error {
	if len(all) == 0 && !p.json {
		_, err := fmt.Fprintf(p.w, "no drift in %s\n", counted(users, "account"))
		return err
	}
	rows := make([][]string, len(all))
	for i, d := range all {
		rows[i] = []string{d.UserID, d.Period, d.Counter, strconv.FormatInt(d.Stored, 10), strconv.FormatInt(d.Computed, 10)}
	}
	return p.print(all, []string{"USER", "PERIOD", "COUNTER", "STORED", "COMPUTED"}, rows, "")
}
