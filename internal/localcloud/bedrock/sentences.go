package bedrock

// What the scripted model writes with. The texts hold characters of one to four
// bytes on purpose.
var openings = []string{
	"Here is a short answer about ",
	"Good question — let us look at ",
	"Let me think aloud about ",
	"With pleasure. You wrote ",
}

var headings = []string{
	"What matters most", "A closer look", "In practice", "Three things to keep", "Where it gets interesting", "Überblick",
}

var terms = []string{
	"Patience", "Clarity", "Small steps", "Feedback", "Order", "Contrast", "Rhythm", "Care", "Naïveté", "Silence",
}

var sentences = []string{
	"A river does not hurry, and yet it arrives at the sea every single day.",
	"The first draft is allowed to be clumsy; its only duty is to exist.",
	"In a small café near the harbour, the owner still writes the menu by hand 📝.",
	"Measure twice, cut once, and write down why you measured at all.",
	"Most surprises are old friends that nobody had written to for a while.",
	"When two explanations fit equally well, keep the one that you can test by Friday.",
	"The Japanese word 木漏れ日 names the light that falls through leaves.",
	"A good map leaves out almost everything, which is exactly why it helps.",
	"At 21 °C the dough rises in about 90 minutes, give or take a sparrow's nap.",
	"Nothing travels faster than a rumour, except perhaps the correction that nobody reads.",
	"If a door has to carry a sign that explains it, the door is the problem.",
	"Ask the person who repairs it, not the person who sells it.",
	"The Greeks called it φρόνησις: knowing what to do when the rules run out.",
	"Every list has a last item, and it is usually the one that was hardest to admit.",
	"Tea tastes better in a thin cup — nobody knows quite why.",
	"Half of the work is choosing a name; the other half is living with it.",
	"A bridge is a promise made of stone, repeated with every step.",
	"The sum of the parts is π times more confusing than the whole.",
	"Leave the campsite tidier than you found it, and the night will thank you 🌙.",
	"Whoever plants a walnut tree is thinking of somebody else's grandchildren.",
	"Start where you are → use what you have → stop before you are tired.",
	"Numbers do not lie, but they do enjoy being asked the wrong question.",
	"On the third attempt it worked, and everybody agreed that it had been obvious.",
	"The orchestra tunes to the oboe because the oboe cannot tune to anyone else.",
	"Crème brûlée is mostly waiting, followed by a short and joyful fire 🔥.",
	"What you repeat becomes your style, whether you meant it or not.",
	"A lighthouse never asks which ship deserves the light.",
	"Some problems are solved, some dissolve, and some simply move to another town.",
	"Between the notes is where the music decides what it wants to be.",
	"It costs €0 to be kind and only slightly more to be precise.",
}
