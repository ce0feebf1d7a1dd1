# PowerShell completion for debughost. Put this into the file that $PROFILE names:
#
#     debughost completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName debughost -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = @(
        $commandAst.CommandElements |
            Select-Object -Skip 1 |
            Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.ToString() }
    )
    # The dot keeps a word that is empty: before PowerShell 7.3 it would not be handed over.
    $lines = @(debughost __complete powershell @before "$wordToComplete." 2>$null)
    if ($lines[0] -in 'files', 'folders') {
        # Without an answer, PowerShell completes paths.
        return
    }
    if ($lines.Count -lt 2) {
        return ''
    }
    foreach ($line in $lines[1..($lines.Count - 1)]) {
        $word, $about = $line -split "`t", 2
        if (-not $about) {
            $about = $word
        }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
    }
}
